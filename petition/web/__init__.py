"""What stands around every view: middleware, answers from memory, error pages.

Start with `middleware`, in the order of `settings.MIDDLEWARE`. `answers` keeps what is the same for
everybody, `errors` and `problems` say to people and to programs what went wrong.
A public page must never set a cookie, and an error page must never need the database.
"""
