"""What the stores need of MongoDB beside documents, by both drivers."""

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared.mongo import Driver, is_transient
from tests.conftest import FreshMongo


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_an_index_that_an_earlier_version_made_otherwise_is_made_anew(
    fresh_mongo: FreshMongo, driver: Driver
) -> None:
    """By its name, or by its keys under another name; the data stays."""
    mongo = fresh_mongo("index", driver)
    await mongo["things"].insert_one({"_id": 1, "a": 1})
    await mongo.index("things", "a", name="a")
    await mongo.index("things", [("b", 1)], name="old")
    await mongo.index("things", "a", name="a", unique=True)
    await mongo.index("things", "b", name="new")
    await mongo.index("things", "b", name="new")
    assert set(await mongo["things"].index_information()) == {"_id_", "a", "new"}
    with pytest.raises(DuplicateKeyError):
        await mongo["things"].insert_one({"_id": 2, "a": 1})


async def test_an_index_that_cannot_be_made_is_told(fresh_mongo: FreshMongo) -> None:
    mongo = fresh_mongo("index")
    await mongo["things"].insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 1}])
    with pytest.raises(OperationFailure) as error:
        await mongo.index("things", "a", unique=True)
    assert not is_transient(error.value)


def test_a_lock_that_another_has_let_go_is_no_bug_of_ours() -> None:
    assert is_transient(RuntimeError("Lock is not acquired"))
    assert not is_transient(RuntimeError("something else"))
