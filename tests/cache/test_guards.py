"""Each guard refuses its kind of trap, and lets the same question in other words pass."""

from __future__ import annotations

import pytest

from moabot.contract import Question
from moabot_cache.admission import alone
from moabot_cache.difference import Difference
from moabot_cache.guards import ANTONYMS, GUARDS, refusal
from moabot_cache.lexicon import SILENT
from moabot_cache.nearness import needed, ruled
from moabot_cache.reading import MOST_WORDS, Reading
from moabot_cache.said import essence
from moabot_cache.signs import LONGEST
from moabot_cache.spelling import misspelt

TRAPS = {
    "number": [
        ("Name 3 rivers in France", "Name 4 rivers in France"),
        ("Is 1234567 a prime number?", "Is 1234568 a prime number?"),
        ("Where is my order 10045671?", "Where is my order 10045672?"),
        ("What happened on 2024-01-05 in Rome?", "What happened on 2024-05-01 in Rome?"),
        ("What is 3/4 as a decimal?", "What is 4/3 as a decimal?"),
        ("What is 2 to the power of 10?", "What is 10 to the power of 2?"),
        ("Please subtract 5 from 10", "Please subtract 10 from 5"),
        (
            "Take 200 mg ibuprofen with 400 mg paracetamol",
            "Take 400 mg ibuprofen with 200 mg paracetamol",
        ),
    ],
    "symbol": [
        (
            "What does the == operator do in JavaScript?",
            "What does the === operator do in JavaScript?",
        ),
        ("What does the + operator do in Python?", "What does the * operator do in Python?"),
        ("What is the result of 5 + 3?", "What is the result of 5 - 3?"),
        ("Factor the term x^2 - 4", "Factor the term x^2 + 4"),
        ("What is the absolute value of -5?", "What is the absolute value of 5?"),
        ("What is 5! in maths terms?", "What is 5 in maths terms?"),
        ("What does 好 mean in Chinese?", "What does 不 mean in Chinese?"),
        ("What is the value of 2² plus one?", "What is the value of 22 plus one?"),
    ],
    "case": [
        ("What does git branch -d do?", "What does git branch -D do?"),
        ("How much power is 5 mW exactly?", "How much power is 5 MW exactly?"),
        ("Download 100 Mb of data", "Download 100 MB of data"),
        ("What is G in physics?", "What is g in physics?"),
        ("What is RAM?", "What is a ram?"),
        ("What is an apple?", "What is Apple in short, Apple?"),
        ("Is NO toxic to cats?", "Is no toxic to cats?"),
        ("How long are 5 ms in turns?", "How long are 5 MS in turns?"),
        ("Is True a valid value in JSON?", "Is true a valid value in JSON?"),
        ("When do I use String in Java?", "When do I use string in Java?"),
    ],
    "particle": [
        ("How do I zoom in on the map in Chrome?", "How do I zoom out on the map in Chrome?"),
        ("Scale the pool of workers down", "Scale the pool of workers up"),
        ("How do I scroll up a page?", "How do I scroll down a page?"),
        ("What does the SQL AND operator do?", "What does the SQL OR operator do?"),
        (
            "Does the price include breakfast and dinner?",
            "Does the price include breakfast or dinner?",
        ),
        ("Why do cats like water?", "Why do cats dislike water?"),
    ],
    "date": [
        ("Is the bank open on Monday?", "Is the bank open on Friday?"),
        ("When is the next flight?", "When is the previous flight?"),
        ("Is the bank open at 9 am?", "Is the bank open at 9 pm?"),
    ],
    "unit": [
        ("Convert 5 kg to pounds", "Convert 5 kg to ounces"),
        ("How heavy are 5 bricks in all?", "How heavy are 5 kg bricks in all?"),
    ],
    "version": [
        ("What is new in python3.11?", "What is new in python3.12?"),
        ("Is part AB123 older than AB321?", "Is part AB321 older than AB123?"),
    ],
    "negation": [
        ("Is it legal to park here?", "Is it not legal to park here?"),
        ("Scale the web service", "Scale the web service down"),
        ("Can I fly and not be afraid?", "Can I be afraid and not fly?"),
        ("Advise on the new investment", "Advise against the new investment"),
    ],
    "reversal": [("Approve the budget", "Reject the budget")],
    "antonym": [
        ("How do I log in before lunch?", "How do I log in after lunch?"),
        ("Which city is larger, Lagos or Cairo?", "Which city is smaller, Lagos or Cairo?"),
        ("Which city is the bigger one?", "Which city is the smaller one?"),
        ("Which exam is harder, Bar or CPA?", "Which exam is easier, Bar or CPA?"),
        ("Which funds are cheap?", "Which fund is the cheapest?"),
        ("Which exam is the easiest one?", "Which exam is the hardest one?"),
        ("Is Ann older than her sister?", "Is Ann younger than her sister?"),
        ("Should I retain the old logs?", "Should I erase the old logs?"),
    ],
    "name": [("Sort a list in Python", "Sort a list in Java")],
    "entity": [("Who was the mother of Anna Karenina?", "Who was the mother of Emma Bovary?")],
    "format": [
        ("Describe Rome as a table", "Describe Rome as a poem"),
        ("Put the figures into a table", "Put the figures into paragraphs"),
    ],
    "operation": [
        ("Summarize this contract", "Translate this contract"),
        ("Explain how to merge a branch", "Explain how to rebase a commit"),
    ],
    "question": [
        ("Why did Rome fall?", "When did Rome fall?"),
        ("What is a notary in law?", "What does a notary in law do?"),
        ("If it rains, what is open?", "If it rains, when is it open?"),
        ("I have a visa, can I stay?", "I have a visa, how can I stay?"),
    ],
    "conjunct": [
        ("What do geese eat in winter?", "What do geese and ducks eat in winter?"),
        ("What is GST and how is it paid?", "What is GST?"),
        ("How do I hack a password and ID?", "How do I hack a password?"),
    ],
    "aspect": [("Is Ann a nurse?", "Did Ann use to be a nurse?")],
    "restriction": [
        ("Do birds fly?", "Do all birds fly?"),
        ("Show orders of the customer", "Show orders per customer"),
        ("Which files can I delete?", "Which files can only I delete?"),
    ],
    "modal": [("Say that I will pay the fee", "Say that I should pay the fee")],
    "person": [
        ("Would he forgive her?", "Would she forgive him?"),
        ("Can I sue my landlord for repairs?", "Can my landlord sue me for repairs?"),
        ("Can I end the lease early?", "Can my landlord end the lease early?"),
        ("How do I interview a nurse?", "How do I interview as a nurse?"),
    ],
    "order": [
        ("Fly from Rome to Paris", "Fly from Paris to Rome"),
        ("What eats snakes in Peru?", "What do snakes eat in Peru?"),
        ("Does Ann trust Bob?", "Does Bob trust Ann?"),
        ("Did Jacob enjoy the boat?", "Was Jacob enjoyed by the boat?"),
        ("Does Kevin hurt Nathan?", "Is Kevin hurt by Nathan?"),
        (
            "Take 200 mg ibuprofen with 400 mg paracetamol",
            "Take 200 mg paracetamol with 400 mg ibuprofen",
        ),
    ],
    "direction": [("Copy files from the server", "Copy files to the server")],
}
SAME = [
    ("How do I reset my router?", "What is the best way to reset my router"),
    ("What's the capital of France?", "Please tell me the capital of France"),
    ("Remove the duplicate rows", "Delete the duplicate rows"),
    ("Do not remove the duplicate rows", "Don't delete duplicate rows"),
    ("What is the difference between TCP and UDP?", "What is the difference between UDP and TCP?"),
    ("Did Jennifer seize the ranch?", "Was the ranch seized by Jennifer?"),
    ("Meet me at 10:00 AM", "Meet me at 10am"),
    ("Turn off debug logging", "Disable debug logging"),
    ("How do I cancel my subscription?", "how to cancel my subscripton"),
    ("Write a summary of this report", "Summarize this report"),
    ("Create a short story about rain", "Write a short story about rain"),
    ("See to it that debug logging is turned off", "Disable debug logging"),
    (
        "Explain how weather differs from climate",
        "Explain the difference between weather and climate",
    ),
    ("Is Anna married to John?", "Is John married to Anna?"),
    ("What happened in the most recent build?", "What happened in the latest build?"),
    ("Run a backup every night", "Run a nightly backup"),
    ("Revert the last commit", "Undo the last commit"),
    ("Do not remove the duplicate rows", "Keep the duplicate rows"),
    ("Explain the login failure", "Explain the login error"),
    ("Give a clear account of the plan", "Give an account of the plan"),
    ("Remind her of the next appointment", "Remind her of the coming appointment"),
    ("Reject the budget for this quarter", "Reject the quarterly budget"),
    ("Advise the client to reject the deal", "Recommend that the client refuses the deal"),
    ("Add a column to the table", "Add a column"),
    ("What is your favorite poem?", "What are your favorite poems?"),
    ("How large is a whale?", "How big is a whale?"),
    ("Which city is the capital of Chile?", "What is the capital of Chile?"),
    ("What is inflation?", "Define inflation"),
    ("How do I list my files?", "How do I list all my files?"),
    ("What is your most favorite song?", "What is your favorite song?"),
    ("How do I become a nurse?", "How can I be a nurse?"),
    ("I am a nurse, how do I rest?", "A nurse, how do I rest?"),
    ("Is it safe to swim in Lake Como?", "Is it safe to swim in Lake Como? Why?"),
    ("Is a cat color blind?", "Is a cat color blind? Why or why not?"),
    ("What is a VPN?", "Explain what a VPN is"),
    ("What is HTML?", "What is HTML exactly?"),
    ("What is well-being for a cat?", "What is well-being for cats?"),
    ("How do I design a good UI in C#?", "How do I design a good ui in c#?"),
    ("What are some of the best ways to sleep?", "How do I sleep?"),
    ("How do I find part-time work?", "How do I find part time work?"),
    ("What is a 32-bit processor?", "What is a 32 bit processor?"),
    ("How do I round decimals?", "How do I round a decimal?"),
    ("How many eggs can I eat per day?", "How many eggs can I eat every day?"),
    ("Can I work if it rains?", "If it rains, can I work?"),
    ("Name a function that is used to parse dates", "Name a function that parses dates"),
    ("Convert the loop into a list", "Convert the loop to a list"),
    ("Explain the cause of the crash", "Explain the crash"),
    ("Which is better: tea or coffee?", "Which is better, tea or coffee?"),
    ("Count the users per region", "Count the users for every region"),
    (
        "Confirm the Friday review by posting a note",
        "Send an email to confirm the Friday review",
    ),
]


def _refused(a: str, b: str) -> str:
    asked, kept = Reading(a), Reading(b)
    return refusal(asked, kept, Difference(asked, kept))


@pytest.mark.parametrize(
    ("guard", "a", "b"), [(guard, *pair) for guard, pairs in TRAPS.items() for pair in pairs]
)
def test_a_guard_refuses_its_trap_from_both_sides(guard: str, a: str, b: str) -> None:
    """Which of the two was kept and which is asked makes no difference."""
    asked, kept = Reading(a), Reading(b)

    assert GUARDS[guard](asked, kept, Difference(asked, kept))
    assert _refused(a, b)
    assert _refused(b, a)


def test_every_guard_has_a_trap() -> None:
    """A guard that nothing needs is one that nobody understands."""
    assert TRAPS.keys() == GUARDS.keys()


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_in_other_words_passes(a: str, b: str) -> None:
    """A cache that refuses everything is never wrong, and of no use."""
    assert _refused(a, b) == ""


@pytest.mark.parametrize(
    ("a", "b", "needs"),
    [
        ("Is Emma a good nurse?", "Is Emma a nurse?", 0.99),
        ("What is a good way to cook rice?", "What is the way to cook rice?", 0.87),
        ("How long does the iPhone 5 last?", "How long does the iPhone 5s last?", 1.0),
        ("What is the purpose of a flywheel?", "What is a flywheel?", 0.97),
        ("What is the best lake in Chile?", "What is the best lake of Chile?", 0.97),
        ("What have you ever cooked in tins?", "What did you cook in tins?", 0.97),
        ("What does the word seldom mean?", "What does the word rarely mean?", 0.98),
        ("What is the difference between soup and stew?", "How do soup and broth differ?", 0.98),
        ("What is a flywheel?", "What exactly is a flywheel?", 0.955),
        ("What is the mean rainfall in Chile?", "What is the rainfall in Chile?", 0.97),
        ("What does double fault mean in tennis?", "What is a double fault in tennis?", 0.87),
        ("Which religion has the old Pope?", "What is old Pope?", 0.97),
        ("What is the largest lake on earth?", "What is the largest lake?", 0.87),
        ("How do I start a band in Rome?", "How do I find a band in Rome?", 0.92),
        ("What is it like to fall in a lake?", "How does it feel to fall in a lake?", 0.80),
    ],
    ids=[
        "quality of a person",
        "quality of a way",
        "letter of a model",
        "side of a thing",
        "taste",
        "of you",
        "words",
        "difference",
        "one word",
        "mean of many",
        "what it means",
        "attribute",
        "extreme",
        "light for light",
        "feeling",
    ],
)
def test_what_says_little_in_one_question_says_much_in_another(
    a: str, b: str, needs: float
) -> None:
    """A good way is a way; but not every nurse is a good one."""
    asked, kept = Reading(a), Reading(b)
    left = Difference(asked, kept)

    assert (1.0 if refusal(asked, kept, left) else needed(asked, kept, left)) == needs


def test_what_has_no_counterpart_must_be_made_up_for_by_nearness() -> None:
    """One word more is a trap more often than a paraphrase."""
    plain = Reading("How do I feed a cat in the evening?")
    more = Reading("How do I feed a hungry cat in the evening?")

    assert needed(plain, more, Difference(plain, more)) > needed(
        plain, plain, Difference(plain, plain)
    )
    assert ruled(plain, more).refusal(0.9, nearest=0.75, caution=0) == "nearness"
    assert ruled(plain, more).refusal(0.9, nearest=0.75, caution=-0.1) == ""


@pytest.mark.parametrize(
    ("a", "b", "slip"),
    [
        ("pasword", "password", True),
        ("recieve", "receive", True),
        ("affect", "effect", False),
        ("cat", "cut", False),
        ("import", "export", False),
    ],
)
def test_a_slip_is_told_from_another_word(a: str, b: str, *, slip: bool) -> None:
    """Two words that both exist are two words, however alike."""
    assert misspelt(a, b) is slip


def test_the_encoder_gets_no_politeness() -> None:
    """Thanks move a short question's vector further than its subject does."""
    assert essence("Hi! Could you please tell me how to boil eggs? Thanks!") == "how to boil eggs"


@pytest.mark.parametrize("text", ["Wie setze ich das zurück und warum?", "¿Cómo puedo hacer esto?"])
def test_another_language_is_left_to_the_exact_tier(text: str) -> None:
    """The tables are English; what they do not know they would let pass."""
    assert not Reading(text).english


@pytest.mark.parametrize(
    ("a", "b", "needs"),
    [
        ("How do I bake bread?", "How do I bake bread in tall tins?", 0.90),
        ("How do I bake bread?", "How do I bake muffins?", 0.92),
        ("How do I bake bread?", "How do I bake blue muffins?", 0.86),
        ("How do I bake white bread?", "How do I bake blue muffins?", 0.84),
    ],
    ids=["two more", "one for one", "one for two", "two for two"],
)
def test_the_more_is_worded_anew_the_less_nearness_it_takes(a: str, b: str, needs: float) -> None:
    """One word for another is how traps are made; a sentence made anew is mostly a paraphrase."""
    asked, kept = Reading(a), Reading(b)

    assert needed(asked, kept, Difference(asked, kept)) == needs


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("What does the word hello mean?", "What does the word cheers mean?"),
        ("What is the meaning of actually?", "What is the meaning of honestly?"),
        ("How do I use 'thanks' in a letter?", "How do I use 'cheers' in a letter?"),
    ],
)
def test_polite_words_that_are_spoken_of_stay(a: str, b: str) -> None:
    """What is said to be polite changes no answer, unless it is what the question is about."""
    assert essence(a) != essence(b)
    assert ruled(Reading(a), Reading(b)).refusal(0.95, nearest=0.75, caution=0)


def test_no_antonym_is_a_word_that_nobody_compares() -> None:
    """Such a pair would stand in its table and never fire; it belongs to the particles."""
    assert {word for pair in ANTONYMS for word in pair}.isdisjoint(SILENT)


def test_a_long_question_has_no_twin_in_other_words() -> None:
    """Only its beginning is read, and two ends may differ; comparing all of it would take too long."""
    begun = "Write a letter about the garden. " * 33
    words = " ".join(f"{chr(97 + n)}{chr(98 + n)}{chr(99 + n)}" for n in range(MOST_WORDS + 1))

    for text in (begun + "It is all about Alice.", f"List these: {words}"):
        assert not alone(Question(text), Reading(text))
    assert len(begun) > LONGEST


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("How do I solve this math problem?", False),
        ("Is this true?", False),
        ("How do I print the following pattern in Java?", False),
        ("What is the error (see question details)?", False),
        ("Which birds leave Rome this year?", True),
        ('What does this mean: "no parking"?', True),
        ("What is a steep inclined plane? What are examples of this?", True),
        ("How do I stop it from leaking?", False),
        ("Question: how do I solve this problem?", False),
        ("You said my red phone is locked. Can I open it?", False),
        ("When did she die?", False),
        ("Is that really legal?", False),
        ("How do I fix that error?", False),
        ("What is wrong with my code below?", False),
        ("How high above the sea is Denver?", True),
        ("How old is the earth?", True),
        ("What is the answer?", False),
        ("How do I stop my old brown dog from eating it?", False),
        ("Is paper in a blue bin recycled with its ink?", True),
        ("My phone account is locked. How can I open it?", True),
        ("Continue", False),
        ("What is a flywheel?", True),
        ("Why?", False),
    ],
)
def test_what_leans_on_something_else_has_no_twin(text: str, *, stands: bool) -> None:
    """Two people who ask about "this" point at two things."""
    assert alone(Question(text), Reading(text)) is stands


def test_a_program_has_no_twin_in_other_words() -> None:
    """What it does depends on spaces, which no reading knows of."""
    text = "What does this print?\nif ready:\n  launch()\n  report()"

    assert not alone(Question(text), Reading(text))
