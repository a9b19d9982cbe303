"""English words by what they do in a question: what the guards know, as tables with a version.

Each line of a group is one meaning. Words of several parts are written as they are said.
"""

from __future__ import annotations

__all__ = [
    "ASPECTS",
    "CONTRACTIONS",
    "DATES",
    "DEFINING",
    "FILLERS",
    "FOREIGN",
    "FORMATS",
    "IRREGULAR",
    "LIGHT",
    "MANNERS",
    "MODALS",
    "NAMES",
    "NEGATIONS",
    "NUMBERS",
    "OPERATIONS",
    "OPINIONS",
    "PHRASES",
    "POLITE",
    "QUALITIES",
    "RESTRICTIONS",
    "SIDES",
    "SPELLINGS",
    "STOPS",
    "UNITS",
    "VERSION",
]

VERSION = "en-7"
"""Stands in an entry's encoder fingerprint's place for the guards: raise it with every change."""

CONTRACTIONS = {
    "can't": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "n't": " not",
    "i'm": "i am",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'d": " would",
    "let's": "let us",
    "what's": "what is",
    "how's": "how is",
    "where's": "where is",
    "who's": "who is",
    "that's": "that is",
    "it's": "it is",
    "there's": "there is",
}

# What is said to be polite or to begin; it changes no answer.
FILLERS = """
please; kindly; hello; hi; hey; hi there; hey there; thanks; thank you; thanks in advance
could you please; can you please; would you please
can you tell me; could you tell me; tell me; can anyone tell me; can anybody tell me
can you help me; could you help me; help me; i need help with; i need help; i need to know
i would like to know; i would like you to; i would like to; i want to know; i want you to; i want to
i need to; i need you to; i am trying to; i try to; i was wondering; i wonder; do you know; any idea
quick question; just; actually; basically; really; simply; currently; somehow; in fact; exactly
ok so; so; well; um; uh; oh; yo; greetings; dear; cheers; many thanks; thank you so much; thanks a lot; thanks so much
thank you very much; much appreciated; appreciate it; appreciate the help; any help appreciated; in advance
sorry to bother you; sorry but; sorry; excuse me; a quick question; one quick question; i have a question
i was just wondering; just wondering; wondering; i am wondering; i am curious; curious; i am looking to; looking to
i am looking for a way to; i have to; i have got to; i got to; i gotta; gotta; i wanna; wanna; i need some help
i am having trouble; having trouble; can someone; could someone; can somebody; can anyone; could anyone
can someone tell me; can someone explain; does anybody know; do you happen to know; do you know if; can you help
let me know; please let me know; please advise; asap; as soon as possible; right away; right now; at the moment
if possible; if you can; if you could; by any chance; by chance; again; kindly tell me; remind me; please remind me
what i want to know is; my question is; the question is; to be honest; honestly; you know; i mean; i think; i guess
like to know; i should know; for my; i am new here; first time here; quick one; quick q; hope you are well; my friend; dear friend
go ahead and; make sure to; make sure that; make sure; be sure to; ensure that; ensure
does anyone know; someone; somebody; anyone; anybody; for me; to me; guys; good morning; literally; why or why not; if not why; if so how; from each other; each other; of all time; in the world; nowadays; these days
"""

STOPS = """
a an the this that these those there here of in on at to for from with by as into onto about within
inside through via be is am are was were been being do does did done doing have has had having will
would shall should can could may might must and or but if then than so such i me my mine we us our
ours you your yours he him his she her hers it its they them their theirs who whom whose which what
when where why how also too very quite own some any all each it's s t d ll m re ve up out over down
need want like get got please while during until per upon toward towards among between
one ones thing things way ways able use used using possible way kind sort type
""".split()

# How people write in a hurry.
SPELLINGS = """
pls = please; plz = please; thx = thanks; u = you; ur = your; r = are; im = i am; ive = i have; id = identifier
acct = account; msg = message; msgs = messages; info = information; appt = appointment; dept = department; pw = password
pwd = password; pic = picture; pics = pictures; docs = documents; doc = document; ppl = people; tmrw = tomorrow
config = configuration; configs = configurations; repo = repository; repos = repositories; db = database; dir = directory
env = environment; dev = development; prod = production; auth = authentication; max = maximum; min = minimum
app = application; apps = applications; sub = subscription; subs = subscriptions; temp = temperature; approx = approximately
intro = introduction; exam = examination; lab = laboratory; ad = advertisement; ads = advertisements; asap = now
b/c = because; bc = because; cuz = because; w/o = without; w/ = with; gonna = going to; lemme = let me; thru = through
cannot = can not; cant = can not; dont = do not; doesnt = does not; didnt = did not; isnt = is not; wont = will not; whats = what is
"""

# Several words, or other spellings, for one: the left side is read as the right one.
PHRASES = """
is there = whether; are there = whether; was there = whether; has there been = whether; does there exist = whether
how do i = howto; how can i = howto; how could i = howto; how should i = howto; how would i = howto
how do you = howto; how can you = howto; how do we = howto; how can we = howto; how to = howto
how does one = howto; how can one = howto; how do one = howto; how would you = howto
what are the steps to = howto; what steps do i take to = howto
what should i do to = howto; what do i do to = howto; what do i need to do to = howto
what must i do to = howto; what can i do to = howto; is there a way to = howto; is there any way to = howto
what is the procedure for = howto; what is the process for = howto; what is the process of = howto
the best way to = howto; best way to = howto; easiest way to = howto; a way to = howto
steps to = howto; instructions for = howto; show me how to = howto; explain how to = howto
explain to me how to = howto; teach me how to = howto; teach me to = howto; walk me through = howto
guide me through = howto; any way to = howto; ways to = howto; way of = howto
what is the command to = howto command; what command = howto command; which command = howto command
how come = why; what is the reason = why; what are the reasons = why; for what reason = why; what was the reason = why; what could be the reason = why
what makes = why; the reason why = why; what causes = why; what is causing = why; what is the cause of = why
reason behind = why; source of = why; cause of = why
how much time = howlong; how long = howlong; how many = howmany; how much = howmuch; how often = howoften
how large = howbig; how frequently = howoften; how far = howfar; what is the distance between = howfar; distance between = howfar; what is the distance from = howfar
what is the population of = howmany person; how many people live in = howmany person
author of = who write; inventor of = who invent; who is the author of = who write; who is the inventor of = who invent
differ = difference; differs = difference; what are the steps for = howto; steps for = howto
how old = howold; how big = howbig; what is the number of = howmany; number of = howmany
what is the price of = howmuch cost; price of = howmuch cost; at what time = when; what time = when
on what date = when; what date = when; in what year = when; what year = when; which year = when
what day = when; in which place = where; in what place = where; what place = where; which person = who
what person = who; the person who = who; is it possible to = can; is it possible for = can; used for = purpose
am i able to = can; are we able to = can; is it ok to = may; is it okay to = may; am i allowed to = may
what is the difference between = difference; what are the differences between = difference
difference between = difference; differences between = difference; how does = howdoes
differs from = difference; differ from = difference; different from = difference; compare = difference
comparison between = difference; versus = difference; vs = difference
what is it like to = whatis feel; what is it like to be = whatis feel; what does it feel like to = whatis feel
how does it feel to = whatis feel; how is it to = whatis feel; what does it feel to = whatis feel
what is in = whatis contain; what does = whatis; what do = whatis; what is meant by = whatis; what is the meaning of = whatis mean
meaning of = whatis mean; definition of = whatis mean; what is = whatis; what are = whatis
get rid of = remove; take away = remove; take out = remove; throw away = remove; take off = remove
turn on = enable; switch on = enable; turn off = disable; switch off = disable; shut off = disable
shut down = shutdown; power off = shutdown; power down = shutdown; power on = boot; start up = boot
set up = setup; log in = login; log on = login; sign in = login; logon = login; sign on = login
log out = logout; sign out = logout; log off = logout; sign up = register; look for = find
look up = find; search for = find; find out = learn; figure out = learn; carry out = perform
make up = compose; come up with = create; put together = create; put off = postpone; bring up = raise
call off = cancel; push back = postpone; move up = advance; bring forward = advance; opt out of = unsubscribe; opt out = unsubscribe; opt in = subscribe
back up = backup; check out = checkout; roll back = rollback; clean up = cleanup; speed up = accelerate
slow down = decelerate; scale up = grow; scale down = shrink; tear down = remove; take down = remove; bring down = lower; cut down = reduce; go up = rise
go down = fall; turn down = reject; say no to = reject; say yes to = accept; hold off = postpone
take part in = join; deal with = handle; get in touch with = contact; reach out to = contact
give up = quit; keep on = continue; carry on = continue; fill out = complete; fill in = complete
hand in = submit; send in = submit; point out = mention; work out = compute; add up = sum
leave out = omit; filter out = exclude; by the end of = by; without difficulty = easily; without trouble = easily
most recent = latest; most favorite = favorite; most favourite = favourite; every night = nightly; each night = nightly; every day = daily; each day = daily
per day = daily; everyday = daily; per week = weekly; per month = monthly; per year = yearly
every week = weekly; each week = weekly; every month = monthly; each month = monthly; every year = yearly; each year = yearly
let know = notify; let the = notify; made of = composition; in charge of = responsible
responsible for = responsible; instead of = insteadof; rather than = insteadof; as opposed to = insteadof
such as = like; due to = because; because of = because; in order to = to; so as to = to; prior to = before
apart from = except; other than = except; along with = with; together with = with; as well as = and
up to = until; out of = outof; more than = over; at least = atleast; at most = atmost; no more than = atmost
no longer = not; not any more = not; not anymore = not; used to = formerly; use to be = formerly be
is used to = to; are used to = to; be used to = to; being used to = to; detailed in = in; detailed by = by
a clear = a plain; more clear = plainer; in clear = in plain
free of = without; free from = without; coming = next; upcoming = next; the past = the previous
instead = insteadof; in addition to = and; e mail = email; e-mail = email; wi-fi = wifi; wi fi = wifi
data base = database; web site = website; web page = page; file name = filename; sub string = substring
user name = username; time zone = timezone; time out = timeout; run time = runtime; real time = realtime
c plus plus = c++; c sharp = c#; f sharp = f#; objective c = objectivec; visual basic = vb; power shell = powershell
node js = nodejs; node.js = nodejs; react js = react; react.js = react; vue js = vue; vue.js = vue; next.js = nextjs
mac os = macos; os x = macos; mac os x = macos; apple mac = macos; google chrome = chrome; ms word = word
red hat = redhat; google cloud = gcp; amazon web services = aws; postgre sql = postgresql; sql server = mssql
united states = usa; united states of america = usa; u.s. = usa; u.s.a. = usa; united kingdom = uk; u.k. = uk
great britain = uk; new york city = nyc; machine learning = ml; artificial intelligence = ai
pull request = pr; merge request = pr; environment variable = envvar; env var = envvar
command line = cli; regular expression = regex; operating system = os; credit card = creditcard
"""

POLITE = """explain show give write list summarize summarise translate describe tell provide recommend suggest
create generate compare convert fix draft help outline clarify analyze analyse rewrite add change update
find check""".split()
"""What follows "can you" when it is an order and no question."""

NUMBERS = {
    word: value
    for value, words in {
        "0": "zero",
        "2": "two twice double ",
        "3": "three thrice triple",
        "4": "four quadruple",
        "5": "five",
        "6": "six",
        "7": "seven",
        "8": "eight",
        "9": "nine",
        "10": "ten",
        "11": "eleven",
        "12": "twelve dozen",
        "13": "thirteen",
        "14": "fourteen",
        "15": "fifteen",
        "16": "sixteen",
        "17": "seventeen",
        "18": "eighteen",
        "19": "nineteen",
        "20": "twenty",
        "30": "thirty",
        "40": "forty",
        "50": "fifty",
        "60": "sixty",
        "70": "seventy",
        "80": "eighty",
        "90": "ninety",
        "100": "hundred",
        "1000": "thousand",
        "1000000": "million",
        "1000000000": "billion",
        "1st": "first",
        "2nd": "second",
        "3rd": "third",
        "4th": "fourth",
        "5th": "fifth",
        "6th": "sixth",
        "7th": "seventh",
        "8th": "eighth",
        "9th": "ninth",
        "10th": "tenth",
        "11th": "eleventh",
        "12th": "twelfth",
        "13th": "thirteenth",
        "14th": "fourteenth",
        "15th": "fifteenth",
        "16th": "sixteenth",
        "17th": "seventeenth",
        "18th": "eighteenth",
        "19th": "nineteenth",
        "20th": "twentieth",
        "30th": "thirtieth",
        "40th": "fortieth",
        "50th": "fiftieth",
        "100th": "hundredth",
        "0.5": "half halve",
    }.items()
    for word in words.split()
}

DATES = """
monday; tuesday; wednesday; thursday; friday; saturday; sunday; january jan; february feb; march
april apr; june jun; july jul; august aug; september sep sept; october oct; november nov
december dec; today; tomorrow; yesterday; tonight; weekend; weekday; morning; afternoon; evening
noon; midnight; summer; autumn; winter; christmas; easter; am; pm; now; daily; weekly
monthly; yearly annual annually; hourly; nightly; quarterly quarter; century; decade; next; previous
"""

UNITS = """
kilogram kilograms kg kgs kilo kilos; gram grams g; milligram mg; pound pounds lb lbs; ounce oz ounces
kilometer kilometers kilometre kilometres km kms; meter meters metre metres; centimeter cm centimetre
millimeter mm millimetre; mile miles mi; foot feet ft; inch inches; yard yards; liter liters litre litres
milliliter ml millilitre; gallon gallons; cup cups; tablespoon tbsp tablespoons; teaspoon tsp teaspoons
celsius centigrade; fahrenheit; kelvin; second seconds sec secs; minute minutes min mins
hour hours hr hrs; day days; week weeks; month months; year years yr yrs; millisecond ms milliseconds
byte bytes; bit bits; kilobyte kb kilobytes; megabyte mb megabytes; gigabyte gb gigabytes; terabyte tb terabytes
dollar dollars usd $; euro euros eur €; pound sterling gbp £; yen jpy ¥; rupee rupees inr ₹ rs; yuan cny
percent percentage %; degree degrees; watt watts; volt volts; amp amps; hertz hz; ghz gigahertz; calorie calories
ton tons tonne tonnes; acre acres; hectare hectares; mph; kph kmh; radian radians; hex hexadecimal; binary; octal; decimal
"""

# Programming languages, systems, products: two that differ are two questions, however alike.
NAMES = """
python py; python2; python3; java; javascript js ecmascript; typescript ts; kotlin; swift; objectivec
rust; golang go-lang; c++ cpp; c#; f#; ruby; perl; php; lua; scala; haskell; erlang; elixir; clojure; julia
matlab; fortran; cobol; bash; zsh; powershell; sql; html; css; sass; dart; vb; vba; groovy; assembly; ocaml
linux; ubuntu; debian; fedora; centos; redhat rhel; alpine; windows win; macos osx mac macbook; ios; ipados
android; chromeos chromebook; unix; freebsd; iphone; ipad; raspberry; xbox; playstation; nintendo
mysql mariadb; postgresql postgres psql; sqlite; oracle; mssql; mongodb mongo; redis; cassandra; elasticsearch
snowflake; bigquery; dynamodb; firebase; supabase; aws; azure; gcp; heroku; vercel; netlify; digitalocean
s3; ec2; lambda; docker; podman; kubernetes k8s; helm; terraform; ansible; jenkins; github; gitlab; bitbucket
git; svn; mercurial; npm; yarn; pnpm; pip; conda; poetry; cargo; maven; gradle; homebrew brew; apt; yum; dnf
react; angular; vue; svelte; nextjs; django; flask; fastapi; laravel; spring; nodejs node; deno; bun
pandas; numpy; polars; pytorch; tensorflow; keras; sklearn scikit-learn; jupyter; matplotlib; excel
powerpoint; outlook; gmail; yahoo; slack; discord; zoom; whatsapp; telegram; skype
chrome; firefox; safari; google; bing; facebook; instagram; twitter; tiktok; youtube; linkedin
reddit; pinterest; snapchat; netflix; spotify; amazon; ebay; paypal; stripe; venmo; mastercard; bitcoin; ethereum
vscode; vim; emacs; pycharm; intellij; eclipse; xcode; nginx; apache; caddy; iis; tomcat
http; https; ftp; sftp; ssh; tcp; udp; ipv4; ipv6; smtp; imap; pop3; oauth; saml; jwt; graphql; grpc;
intel; amd; nvidia; arm; usb; hdmi; bluetooth; wifi; ethernet; photoshop; illustrator; figma; jira; trello
"""

FORMATS = """
json; csv; xml; yaml; toml; markdown; pdf; docx; parquet; png; jpg jpeg; gif; svg; mp3; mp4; zip; tar; gzip
table tabular; bullet bullets bulleted; paragraph paragraphs; essay; poem; haiku; tweet; sentence sentences
diagram; chart; song; dialogue; blog; headline; slide slides; detailed in-depth thorough; formal formally
informal casual; beginner beginners layman laymen; expert advanced; one-liner oneliner; recursive recursively
iterative iteratively; uppercase; lowercase; ascending; descending; funny humorous
"""

# What is to be done with a text or code: two different ones give two different answers.
OPERATIONS = """
summarize summarise summary overview recap; translate translation; explain explanation clarify describe description
proofread; rewrite rephrase paraphrase restate reword; review critique; debug fix repair resolve solve troubleshoot
optimize optimise; refactor; test testing; convert conversion transform; validate verify; sort sorting; filter
implement implementation; list enumerate; diagnose; reverse invert; split; concatenate; encrypt encryption; decrypt decryption; encode encoding
decode decoding; compress compression; decompress; serialize; deserialize; parse parsing; upload; download
import; export; install installation; uninstall uninstallation; upgrade; downgrade; update; subscribe; unsubscribe
login; logout; enable activate; disable deactivate; remove delete erase eliminate deletion removal; create
read; write; rename; move; copy duplicate; merge; rebase; revert rollback undo; commit; push; pull; clone; fork; stash
backup; restore; lock; unlock; block; unblock; mute; unmute; buy purchase; sell; rent; lend; borrow; hire; fire
boot; shutdown; restart reboot; reset; pause; resume; stop; cancel; renew; postpone delay; reject decline; accept approve
increase raise; decrease reduce lower; append; prepend; insert; replace; compile; deploy; transfer; withdraw; deposit
boil; fry; bake; grill; roast; freeze; thaw; melt; cook; clean; paint; draw; drive; fly; teach; learn; multiply; divide
subtract; sum; compute calculate; average mean-value; median; maximum; minimum; count; print; return refund; exchange
monitor; mount; unmount; share; hide; show display; open; close; save; print; archive; forward; reply; connect; disconnect
attach; detach; link; unlink; pin; unpin; follow; unfollow; grant; revoke; add; recommend; order
"""

NEGATIONS = "not no never none neither nor nobody nothing non without nowhere against".split()

ASPECTS = """
formerly; become becoming became; still remain remains; already; yet; anymore; historically; originally
"""

RESTRICTIONS = """
until; only; except excluding; all every entire whole each per; most; always; often; last final; either; insteadof; atleast
atmost; simultaneously; outof; offline; multiple several; empty; nested; hidden; temporary temporarily
permanent permanently; manual manually; automatic automatically; local locally; remote remotely; global globally
"""

# Who is meant, and whether it is, was, will be or should be: between equal words this still tells.
MANNERS = """
i my me mine myself am; you your yours yourself; we us our ours; they them their someone somebody anyone people one
should must shall; will would; did was were had been; if when; without
"""

MODALS = ("should", "will", "did")
"""The first of their lines: what ought to be, will be, was."""

# Words that carry little: whether they are said or not, the answer stays.
LIGHT = """give provide perform process method take make proceed ever become think find good best great proper
real start begin tip advice suggestion purpose example case carry together myself yourself oneself
something anything everything person people someone need want look item bit lot order way place time
particular specific certain given following correct own available current existing involve regard concern
associate related relate various different able successfully properly correctly easily quickly efficiently
effectively exact exactly personal basically generally usually normally always-on best-known necessary""".split()

# Qualities that carry little where a way or a thing is asked for; but a good nurse is not any nurse.
QUALITIES = """good best great proper real effectively successfully properly correctly easily
quickly efficiently specific own current different able""".split()

# Sides of a thing that carry little, but for who asks what it is: its purpose, an example of it.
SIDES = "purpose example case order place time item".split()

# What it is, what it means and its definition are one; but what it means is not what it does.
DEFINING = "definition define explain explanation describe".split()

# Who asks for these asks for views, of which there are as many as people.
OPINIONS = """best worst top good great better ideal favorite favourite greatest finest perfect nice coolest
funniest amazing awesome interesting excellent beautiful weirdest craziest""".split()

IRREGULAR = """
bought buy; goes go; undergoes undergo; sold sell; made make; went go; gone go; came come; took take; taken take; gave give; given give; got get
found find; lost lose; won win; ran run; wrote write; written write; said say; told tell; thought think; knew know
known know; saw see; seen see; kept keep; sent send; built build; paid pay; met meet; spent spend
began begin; begun begin; broke break; broken break; chose choose; chosen choose; drew draw; drawn draw; drove drive
driven drive; ate eat; eaten eat; fell fall; fallen fall; felt feel; flew fly; forgot forget; forgotten forget
froze freeze; frozen freeze; grew grow; grown grow; heard hear; held hold; hid hide; led lead; lent lend; lay lie
rose rise; risen rise; shut shut; sang sing; slept sleep; spoke speak; spoken speak; stole steal; stood stand
swam swim; taught teach; threw throw; understood understand; wore wear; worn wear; children child; men man; women woman
hurt hurt; hit hit; cut cut; beaten beat; bitten bite; blown blow; caught catch; dug dig; fed feed; fought fight
forgiven forgive; shot shoot; shown show; struck strike; torn tear; thrown throw; woken wake; hung hang; swept sweep
feet foot; teeth tooth; mice mouse; people person; better good; indices index; analyses analysis; data data; became become
"""

# Function words of other languages that share the Latin script; MiniLM and these tables are English.
FOREIGN = """
der die das und ist nicht wie ich ein eine einen für mit auf zu den dem wird kann warum welche
el la los las que cómo como para por una del está son qué cuál porque puedo hacer
le les est une des pour dans comment pourquoi qui avec sur je vous quel quelle puis
il che di non per come perché sono della delle gli posso quale um uma não você os isso fazer meu
de het een van en niet hoe ik voor waarom jak nie czy jest się na co att och är inte hur som det
bir ve nasıl için ne mi bu yang dan untuk bagaimana apa cara
""".split()
