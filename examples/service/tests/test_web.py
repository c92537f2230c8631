import io
import json
from wsgiref.util import setup_testing_defaults

import pytest

from shelf.store import Store
from shelf.web import create_app


@pytest.fixture
def ask():
    app = create_app()

    def ask(method, path, query="", body=b""):
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query,
                   "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environ)
        status = []
        answer = b"".join(app(environ, lambda line, headers, exc_info=None: status.append(int(line.split()[0]))))
        return status[0], answer

    return ask


def test_a_text_is_kept_found_and_given_back(ask):
    status, answer = ask("POST", "/texts", body="Grüße aus Köln".encode())
    assert (status, json.loads(answer)) == (201, {"number": 0})
    assert json.loads(ask("GET", "/search", "q=k%C3%B6ln")[1]) == {"found": [0], "meant": []}
    assert ask("GET", "/texts/0") == (200, "Grüße aus Köln".encode())


def test_a_slip_is_answered_with_what_was_meant(ask):
    ask("POST", "/texts", body=b"musl and glibc")
    assert json.loads(ask("GET", "/search", "q=gilbc")[1]) == {"found": [], "meant": ["glibc"]}


def test_an_unknown_text_is_not_found(ask):
    assert ask("GET", "/texts/7")[0] == 404


def test_the_snapshot_holds_all_texts(ask):
    ask("POST", "/texts", body=b"one")
    ask("POST", "/texts", body=b"two")
    status, snapshot = ask("GET", "/snapshot")
    assert status == 200
    assert len(Store.restore(snapshot)) == 2
    assert json.loads(ask("GET", "/healthz")[1]) == {"texts": 2}
