-- How many messages about an account an address was sent lately, whoever asked for them.
CREATE TABLE account_mails (
    address TEXT PRIMARY KEY, -- what it is compared by: HMAC-SHA256 under a key of ours
    began_at BIGINT NOT NULL, -- since when they are counted
    sent BIGINT NOT NULL
);
CREATE INDEX account_mails_by_age ON account_mails (began_at);
