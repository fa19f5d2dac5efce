-- Tokens may end by themselves.
ALTER TABLE api_tokens ADD COLUMN expires_at TIMESTAMPTZ; -- NULL: never

-- Failed sign-ins since the last one that did not fail, for the person to see: by keyed hash of the network address.
CREATE TABLE failed_sign_ins (
    user_id BIGINT NOT NULL REFERENCES users (id),
    place TEXT NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, place)
);

-- What had failed before a session began.
ALTER TABLE sessions ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN failed_places INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN failed_at TIMESTAMPTZ;
-- When the person last proved who they are in it; NULL: when it began.
ALTER TABLE sessions ADD COLUMN proved_at TIMESTAMPTZ;

-- Second factors (TOTP). Until it is confirmed, one is only offered.
CREATE TABLE second_factors (
    user_id BIGINT PRIMARY KEY REFERENCES users (id),
    secret BYTEA NOT NULL, -- sealed
    last_step BIGINT NOT NULL DEFAULT 0, -- of 30 s: codes up to this one are used up
    created_at TIMESTAMPTZ NOT NULL,
    confirmed_at TIMESTAMPTZ
);

-- Codes for a lost phone, as keyed hashes. One that was used is gone.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id),
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- Sign-ins whose password was right and whose code is awaited, by SHA-256 of a token.
CREATE TABLE half_sign_ins (
    hash BYTEA PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX half_sign_ins_user ON half_sign_ins (user_id);
