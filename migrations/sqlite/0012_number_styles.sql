-- How a person reads numbers, such as comma for 1.234,56; empty: as the languages of their browser have it.
ALTER TABLE users ADD COLUMN numbers TEXT NOT NULL DEFAULT '';

-- When in its hour a count last grew; NULL in rows that are older.
ALTER TABLE store_counts ADD COLUMN last_at TEXT;
