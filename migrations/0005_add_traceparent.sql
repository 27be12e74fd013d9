-- Which trace an event began in, in the words of W3C Trace Context, where traces are told: the
-- attempts of its deliveries belong to it.
ALTER TABLE events ADD COLUMN traceparent TEXT;
