"""English words by what they mean to each other: the same, the opposite, or the reverse of a sentence."""

from __future__ import annotations

__all__ = ["ANTONYMS", "PARTICLES", "REVERSALS", "RIVALS", "SYNONYMS"]

# Words that turn a sentence round, as "not" does: two of them are none.
REVERSALS = """
reject decline refuse deny disapprove oppose against avoid cancel revoke omit hide conceal suppress exclude omission
disable deactivate stop end terminate cease halt discontinue quit prevent block forbid prohibit ban stop-being
remove delete erase eliminate drop discard clear wipe uninstall lower reduce decrease shrink lessen cut fall lose
withdraw undo revert rollback postpone delay defer pause suspend ignore skip neglect dismiss criticize criticise dispute
contest discourage dislike hate disagree fail lack miss unable impossible close shut worse worst wrong bad
decelerate unsubscribe logout disconnect detach unlock unblock unmute unpaid inactive dormant overdue invalid
refusal denial rejection opposition cancellation removal deletion termination reduction withdrawal failure disapproval
challenge waive restrict shorten shorter narrow narrower reschedule liquidate
disagreement shutdown scrap abandon abort unlikely opposed
demote degrade weaken sooner detract undermine deter dissuade protest object objection
veto overturn damage destroy ruin spoil expel evict ban bar impede
downward downwards halve down less least fewer forget hardly harm drawback disadvantage con weakness risk
""".split()

# Opposites one of which is too small to be compared as a word.
PARTICLES = """
on/off; and/or; over/under; inside/outside; in/out; up/down; like/dislike; like/hate; get/set; get/post; get/put; possible/impossible; kind/cruel
"""

# Opposites among the words of content.
ANTONYMS = """
before/after; more/less; most/least; many/few; much/little; above/below; left/right
top/bottom; front/back; start/end; begin/finish; first/last; start/stop; open/close; enable/disable; login/logout
increase/decrease; raise/lower; raise/reduce; rise/fall; grow/shrink; high/low; big/small; large/small; long/short
tall/short; wide/narrow; thick/thin; fat/thin; heavy/light; hot/cold; warm/cool; fast/slow; quick/slow; early/late
new/old; young/old; good/bad; best/worst; better/worse; right/wrong; true/false; correct/incorrect; easy/hard
easy/difficult; simple/complex; cheap/expensive; rich/poor; strong/weak; safe/dangerous; safe/unsafe; clean/dirty
full/empty; dry/wet; hard/soft; rough/smooth; loud/quiet; bright/dark; day/night; male/female; man/woman; boy/girl
husband/wife; father/mother; son/daughter; brother/sister; uncle/aunt; king/queen
accept/reject; accept/refuse; approve/deny; approve/reject; allow/forbid; allow/block; allow/prevent; permit/prohibit
buy/sell; purchase/sell; lend/borrow; give/take; send/receive; push/pull; upload/download; import/export; input/output
encode/decode; encrypt/decrypt; compress/decompress; install/uninstall; upgrade/downgrade; add/remove; add/subtract
insert/remove; insert/delete; create/remove; create/delete; multiply/divide; include/exclude; attach/detach
connect/disconnect; lock/unlock; block/unblock; mute/unmute; subscribe/unsubscribe; follow/unfollow; show/hide
expand/collapse; maximize/minimize; maximum/minimum; ascending/descending; ascend/descend; append/prepend; win/lose
gain/lose; profit/loss; gain/loss; love/hate; advantage/disadvantage; pro/con; benefit/risk
benefit/drawback; benefit/harm; strength/weakness; positive/negative; success/failure; succeed/fail; pass/fail
public/private; internal/external; local/remote; online/offline; client/server; frontend/backend; parent/child
row/column; horizontal/vertical; static/dynamic; synchronous/asynchronous; sync/async; mutable/immutable; stack/queue
read/write; source/destination; sender/receiver; buyer/seller; landlord/tenant
employer/employee; teacher/student; doctor/patient; customer/vendor; arrive/depart; arrival/departure
enter/leave; enter/exit; come/go; indoor/outdoor; north/south; east/west; northern/southern
eastern/western; summer/winter; sunrise/sunset; morning/evening; birth/death; born/die; alive/dead; live/die; sink/float
remember/forget; find/lose; build/destroy; make/break; fix/break; tighten/loosen; fill/empty; freeze/thaw; freeze/melt
boil/freeze; ask/answer; question/answer; begin/end; launch/stop; activate/deactivate; resume/pause; continue/stop
keep/remove; keep/delete; keep/drop; keep/cancel; retain/drop; retain/remove; save/delete; save/spend; archive/delete
renew/cancel; confirm/cancel; schedule/cancel; subscribe/cancel; extend/shorten; advance/extend; expand/focus
restore/backup; expand/contract; widen/tighten; loosen/restrict; permit/restrict
lengthen/shorten; widen/narrow
encourage/discourage; support/oppose; agree/disagree; promote/oppose; argue/defend; admit/discharge; hire/fire
employ/dismiss; guilty/innocent; legal/illegal; liable/exempt; active/inactive; active/dormant; available/unavailable
visible/invisible; valid/invalid; certain/uncertain; healthy/sick; normal/abnormal; optional/required
optional/mandatory; voluntary/mandatory; permanent/temporary; manual/automatic; commit/rollback; deploy/revert
merge/split; join/split; join/leave; open/shut; debit/credit; deposit/withdraw; asset/liability; gross/net; inner/outer
uppercase/lowercase; prefix/suffix; singular/plural; odd/even; prime/composite; acid/base; solid/liquid; liquid/gas
plaintiff/defendant; majority/minority; ancient/modern; major/minor; junior/senior; formal/informal; introvert/extrovert
optimist/pessimist; brave/cowardly; polite/rude; happy/sad; smart/stupid; lazy/diligent; proud/humble
secure/insecure; offensive/defensive; passive/active; escalate/close; escalate/downgrade; prioritize/deprioritize
rich/low; high/poor; safe/toxic; safe/harmful; safe/poisonous; clear/vague; plain/vague; forward/back; forward/backward
enforceable/unenforceable; paid/unpaid; pay/refuse; dispute/refund; highlight/hide; emphasize/hide
"""

# One line, one class: whom a text is for, how it is to sound, what it is, how much of it. Each word
# of a line excludes the others, though no two are opposites.
RIVALS = """
child teenager adult baby toddler senior beginner expert professional layman student
polite rude angry friendly professional formal casual informal sarcastic humorous funny serious apologetic cheerful romantic scary
positive negative mixed neutral critical glowing enthusiastic
email letter text speech essay poem tweet memo postcard voicemail
breakfast lunch dinner brunch supper dessert
single few dozen hundred thousand
morning afternoon evening night
mechanical electrical civil chemical industrial software aerospace biomedical nuclear
physics chemistry biology mathematics geography history economics
"""

# One line, one meaning, in the questions that people put to a bot.
SYNONYMS = """
remove delete erase eliminate deletion removal drop discard; create make generate build construct produce establish formulate
show display view list print see; find locate search discover; begin start commence initiate launch; stop end terminate cease discontinue halt
fix repair resolve solve troubleshoot mend correct; change modify alter edit adjust revise amend; buy purchase
get obtain acquire receive retrieve fetch; check verify validate determine confirm; need require; improve enhance better boost
increase raise grow; decrease reduce lower cut lessen; big large huge; small little tiny; fast quick quickly rapidly rapid speedy
explain describe clarify explanation description elaborate detail outline discuss; summarize summarise summary overview recap; rewrite rephrase paraphrase reword restate
error exception issue problem failure bug fault trouble; method approach technique procedure process strategy; mean meaning definition define signify represent indicate
car automobile vehicle; movie film; photo picture image photograph; phone cellphone mobile smartphone telephone; laptop notebook; pc computer
job position employment; salary pay wage wages; home house; kid kids child children; person people human; dictionary dict; folder directory
function func; parameter argument param; variable var; string str; integer int; program application app software; website site webpage
code program-code; bug defect; password passcode passphrase; account profile; cost price fee charge; money cash funds; company firm business corporation
email mail; message note; customer client; doctor physician; medicine medication drug; illness disease sickness
country nation; city town; street road; university college; test exam examination; score mark grade; teacher instructor; boss manager supervisor
important significant crucial essential key; easy simple straightforward; hard difficult challenging tough; close closure; plain clear simple easy-to-understand straightforward; best top ideal optimal; good great nice; bad poor terrible
common frequent usual typical; main primary principal major; enough sufficient; right correct proper appropriate; wrong incorrect; sure certain; happy glad
help assist aid assistance; tell inform notify advise; give provide offer supply present; ask request; choose select pick; use utilize utilise employ
keep retain maintain preserve; send deliver; write compose draft; think believe; speak talk; try attempt; happen occur; live reside; work function operate operation
prevent avoid; allow permit let enable-user; include contain incorporate; exclude omit; combine merge join; connect link; compare difference differ distinguish distinction
implement implementation; configure configuration setup set config; install installation; update upgrade-to; execute run launch-program; learn study
cancel cancellation; refund reimbursement reimburse; invoice bill; subscription plan; postpone delay defer; reject decline refuse deny denial; accept approve acceptance approval
convert transform turn change-to conversion; calculate compute figure calculation; loop iterate iteration; random randomly; duplicate copy; unique distinct; order sort arrange
effect impact consequence influence; advantage benefit pro upside; disadvantage drawback con downside; reason cause; goal aim objective purpose; result outcome
example sample instance; idea suggestion tip advice recommendation hint; suggest recommend propose; rule guideline; risk danger hazard; lawsuit litigation
lose shed; food meal; eat consume; exercise workout; tired fatigued; pain ache; cure treat treatment remedy
beautiful pretty attractive; smart intelligent clever; rich wealthy; famous well-known; afraid scared frightened; angry mad; strange weird odd; rude impolite; organized organised
favourite favorite; colour color; centre center; realise realize; travel trip journey; vacation holiday
start-up startup; invest investment; stock share; lawyer attorney
safe secure; securely safely; safety security; monitor track; document doc; data information info
contract agreement; liable responsible; entry record row-of-data; discrepancy inconsistency; missing absent
contrast difference distinction differ; compare difference; notify report inform convey; tell say inform; available availability; draft formulate prepare compose
create develop open issue; add include incorporate insert append introduce attach put; keep leave maintain hold; legacy old outdated obsolete; cancel end terminate; application request; concern issue
data record; discuss describe explain; reply respond response answer react; feature functionality capability; signify significance imply entail mean involve; register record log mark note; approve accept agree positive
plan schedule arrange organize setup; reschedule move shift; component part section piece element module; determine figure find identify ascertain discover learn; adjust update modify; omit skip miss exclude ignore leave filter
improve increase; overcome cope handle manage; quit stop cease; computer laptop; amazing awesome great incredible; identify recognize recognise; top best; good effective helpful useful beneficial; efficient effective
individual person; predict forecast prediction; television tv; author writer; university school; resign quit; meaningless pointless; visit travel go see; quality characteristic trait property attribute; stuff product thing
abuse abusive; normal natural typical; gain get earn; evil bad; valid legitimate legit genuine authentic real; fridge refrigerator; loss loose lose; whole entire; addict addiction addicted; opinion view thought thoughts feeling
alternative replacement substitute option choice; importance significance; teen teenager adolescent; singer vocalist; toxic toxin poisonous; joyful happy cheerful glad; brave courageous; grateful thankful; crash accident collision
immigrant migrant; spouse partner; baby infant newborn; elderly senior; childbirth labour; puppy dog-child; kitten cat-child; cab taxi; airplane plane aircraft; ship boat vessel; bike bicycle cycle; motorcycle motorbike
grocery groceries; sofa couch; trash garbage rubbish waste bin; faucet tap; elevator lift; apartment flat; gas petrol fuel; truck lorry; soccer football; chips fries; cookie biscuit; sweater jumper; vacation holiday
reach contact call phone; address location; register signup enrol enroll join; verify authenticate; credential login; unlock unfreeze; track trace follow; parcel package shipment; delivery shipping shipped ship; receipt invoice bill
refund reimburse moneyback; discount coupon promo voucher; membership subscription plan; card payment; pay settle; due owed; statement summary; transfer wire send; branch office
crash freeze hang; slow sluggish laggy lag; broken faulty defective damaged; screen display monitor; charge recharge; reboot restart; reset restore; settings preferences options setting preference option; backup copy
hack compromise breach; virus malware; spam junk; attachment file; folder directory; rename retitle; screenshot capture; shortcut hotkey; bookmark favourite; link url hyperlink
list array sequence; element item entry member; loop iterate traverse; method function procedure routine; library package module dependency; install setup; compile build; run execute launch start invoke; test check
sort order arrange rank; reverse invert flip; merge combine join concatenate concat; split divide separate; count tally number; duplicate dupe repeated duplicates; unique distinct; random arbitrary; convert cast parse transform change turn
query request; table relation; column field attribute; row record tuple; server host; deploy release ship publish; image picture; schedule cron timer; memory ram; disk drive storage
salary income earnings pay; career profession occupation job; resume cv; hire recruit employ; fire dismiss sack; boss manager employer; colleague coworker; quit leave; promotion raise; meeting call appointment
healthy nutritious; diet nutrition; exercise workout train training; sleep rest; stress anxiety; depressed depression; doctor physician gp; symptom sign; cause reason trigger factor; cure treat heal remedy treatment; prevent avoid stop
expand increase grow enlarge; location place; route path; store shop; cook prepare; weather climate
frequently often; exit quit leave; fall collapse; approximately roughly about; typically usually generally normally; biggest largest; smallest tiniest; fastest quickest
utilization usage consumption use; leave left; elevated high; sum amount total; latest newest current recent; vocal outspoken; timeframe deadline-time
"""
