import pytest

from shelf.store import Store, words


@pytest.fixture
def store():
    store = Store()
    store.add("The quick brown fox")
    store.add("A slow brown bear, Bär or medvěd")
    return store


def test_words_are_those_of_any_script():
    assert words("Bär, l’été; 3 медведя!") == ["bär", "l’été", "медведя"]


def test_finds_the_texts_that_hold_every_word(store):
    assert store.find("brown") == [0, 1]
    assert store.find("BROWN medvěd") == [1]
    assert store.find("brown wolf") == []
    assert store.find("") == []


def test_gives_a_text_back_as_it_was(store):
    assert store.text(1) == "A slow brown bear, Bär or medvěd"
    for number in (2, -1):
        with pytest.raises(IndexError):
            store.text(number)


def test_knows_what_a_slip_meant(store):
    assert store.nearest("Brwon") == "brown"
    assert store.nearest("elephant") is None
    assert Store().nearest("brown") is None


def test_a_snapshot_restores_everything(store):
    again = Store.restore(store.snapshot())
    assert len(again) == 2
    assert again.find("fox") == [0]
