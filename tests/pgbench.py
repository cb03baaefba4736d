"""The site's own statement, as PostgreSQL's pgbench sends it: a new signer each time."""


def signing(function: str, consent: int, lock_wait: str = "") -> str:
    """`function` is the name that `migrate` gave SIGN, `consent` the id of a text."""
    sealed = r"'\x' || repeat('5a', 65)"  # As long as what the site seals.
    row = (
        "json_build_object('reference', gen_random_uuid(), 'attempt', gen_random_uuid(),"
        rf" 'mailbox', '\x' || md5(random()::text), 'name', {sealed}, 'attempt_name', {sealed},"
        rf" 'email', {sealed}, 'domain', '\x' || md5('example.org'), 'country', 'MA',"
        f" 'updates', false, 'delivery', false, 'consent', {consent}, 'language', 'ar',"
        " 'passed', true)"
    )
    return (
        f"SELECT {function}(json_build_array({row}), now(), now() - interval '1 day', 5,"
        f" (random() * 15)::smallint, '{lock_wait}');"
    )
