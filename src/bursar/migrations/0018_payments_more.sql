-- What people have decided about a payment whose provider contradicts what was asked, and more of what is read of payments.

-- True: the provider's word on it stands, and everything that happens to it goes to suspense.
ALTER TABLE payment ADD COLUMN in_suspense boolean NOT NULL DEFAULT false;
