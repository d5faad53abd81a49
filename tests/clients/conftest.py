"""Une bourse neuve par essai, et chaque client tour à tour devant elle."""

import logging

import pytest
from clients import CLIENTS
from world import World


def pytest_addoption(parser):
    parser.addoption("--world", required=True, help="the program of the simulated world (cargo example `world`)")


@pytest.fixture
def world(pytestconfig):
    with World(pytestconfig.getoption("world")) as world:
        yield world


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def make_client(request, world):
    """De quoi faire un client, avec d'autres réglages s'il le faut."""
    return lambda **options: request.param(world, **options)


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture(autouse=True)
def no_complaint(caplog):
    """Aucun client n'a rien à redire : le connecteur avertit quand une réponse n'est pas celle de son modèle."""
    yield
    complaints = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert complaints == []
