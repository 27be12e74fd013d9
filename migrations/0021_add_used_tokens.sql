-- Tokens that opened a request which changes something: each opens one.
CREATE TABLE used_tokens (
    token TEXT PRIMARY KEY, -- the client's name and the token's own
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_tokens_by_end ON used_tokens (expires_at);
