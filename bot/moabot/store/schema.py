"""The tables of the SQLite store, as the changes that lead from each version to the next.

A released change is never edited: a new one is added, and tested from every version before it.
Money is in millionths of millionths of a dollar, so that sums are exact.
"""

from __future__ import annotations

__all__ = ["CHANGES"]

SCOPE = """
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    private INTEGER NOT NULL"""

JOURNAL = f"""
CREATE TABLE inbox (
    event TEXT PRIMARY KEY,{SCOPE},
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    addressed INTEGER NOT NULL,
    said_at REAL NOT NULL,
    seed BLOB NOT NULL,
    at REAL NOT NULL,
    plan TEXT NOT NULL,
    horizon INTEGER,
    receipt TEXT NOT NULL,
    tries INTEGER NOT NULL,
    error TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    ended REAL
) WITHOUT ROWID;
CREATE INDEX inbox_unfinished ON inbox (platform, at) WHERE state = 'open';
CREATE INDEX inbox_ended ON inbox (ended);
CREATE TABLE files (
    event TEXT NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (event, place)
);
CREATE TABLE memo (
    place INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    slot TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    outcome TEXT NOT NULL,
    said TEXT NOT NULL
);
CREATE INDEX memo_event ON memo (event);
CREATE TABLE ledger (
    place INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    event TEXT NOT NULL,{SCOPE},
    author TEXT NOT NULL,
    strategy TEXT NOT NULL,
    slot TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost INTEGER,
    estimated INTEGER NOT NULL
);
CREATE INDEX ledger_at ON ledger (at);
"""

CONVERSATIONS = f"""
CREATE TABLE turns (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    role TEXT NOT NULL,{SCOPE},
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (event, role)
);
CREATE INDEX turns_thread ON turns (platform, workspace, channel, thread, private, place);
CREATE INDEX turns_at ON turns (at);
CREATE TABLE settings (
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE TABLE audit (
    place INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX audit_key ON audit (key);
CREATE TABLE feedback (
    event TEXT NOT NULL,{SCOPE},
    who TEXT NOT NULL,
    verdict INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (event, who)
) WITHOUT ROWID;
"""

ANSWERS = f"""
CREATE TABLE answers (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    partition TEXT NOT NULL,
    name TEXT NOT NULL,{SCOPE},
    author TEXT NOT NULL,
    event TEXT NOT NULL,
    question TEXT NOT NULL,
    encoder TEXT NOT NULL,
    vector BLOB NOT NULL,
    answer TEXT NOT NULL,
    size INTEGER NOT NULL,
    cost REAL,
    at REAL NOT NULL,
    expires REAL NOT NULL,
    UNIQUE (partition, name)
);
CREATE INDEX answers_expires ON answers (expires);
CREATE INDEX answers_event ON answers (event);
CREATE TABLE answers_given (
    event TEXT PRIMARY KEY,
    partition TEXT NOT NULL,
    asked TEXT NOT NULL,
    place INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE answers_refused (
    partition TEXT NOT NULL,
    asked TEXT NOT NULL,
    kept TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (partition, asked, kept)
) WITHOUT ROWID;
CREATE TABLE answers_gone (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    place INTEGER NOT NULL,
    at REAL NOT NULL DEFAULT (strftime('%s', 'now'))
);
CREATE INDEX answers_gone_at ON answers_gone (at);
CREATE TRIGGER answers_leave AFTER DELETE ON answers
BEGIN INSERT INTO answers_gone (place) VALUES (old.place); END;
CREATE TABLE answer_tallies (
    day INTEGER NOT NULL,
    name TEXT NOT NULL,
    times INTEGER NOT NULL,
    saved_usd REAL NOT NULL,
    PRIMARY KEY (day, name)
) WITHOUT ROWID;
"""  # noqa: S608 - our own columns

AGAIN = """
ALTER TABLE inbox ADD COLUMN origin TEXT;
ALTER TABLE inbox ADD COLUMN writer TEXT;
CREATE INDEX inbox_origin ON inbox (origin) WHERE origin IS NOT NULL;
ALTER TABLE turns ADD COLUMN origin TEXT;
ALTER TABLE turns ADD COLUMN writer TEXT;
CREATE INDEX turns_origin ON turns (origin) WHERE origin IS NOT NULL;
"""

INSTALLATIONS = """
CREATE TABLE installations (
    platform TEXT NOT NULL,
    workspace TEXT NOT NULL,
    bot TEXT NOT NULL,
    sealed BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (platform, workspace)
) WITHOUT ROWID;
"""

CHANGES = (JOURNAL, CONVERSATIONS, ANSWERS + AGAIN, INSTALLATIONS)
