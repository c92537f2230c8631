"""The store behind HTTP."""

from bottle import Bottle, HTTPError, request, response

from .store import Store, words


def create_app(store=None):
    app = Bottle()
    store = Store() if store is None else store

    @app.post("/texts")
    def add():
        response.status = 201
        return {"number": store.add(request.body.read().decode())}

    @app.get("/texts/<number:int>")
    def text(number):
        response.content_type = "text/plain; charset=utf-8"
        try:
            return store.text(number)
        except IndexError:
            raise HTTPError(404, f"no text {number}")

    @app.get("/search")
    def search():
        query = request.query.getunicode("q", "")
        found = store.find(query)
        meant = [] if found else [near for near in map(store.nearest, words(query)) if near]
        return {"found": found, "meant": meant}

    @app.get("/snapshot")
    def snapshot():
        response.content_type = "application/octet-stream"
        return store.snapshot()

    @app.get("/healthz")
    def health():
        return {"texts": len(store)}

    return app
