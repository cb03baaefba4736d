"""How a coordinator comes in, and whether they are in."""

from tests.making import PASSWORD


def sign_in(client, user="sample-coordinator", password=PASSWORD, path="/admin/login/", **headers):
    return client.post(path, {"username": user, "password": password}, **headers)


def is_in(client) -> bool:
    return client.get("/admin/").status_code == 200
