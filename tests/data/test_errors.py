"""DatasetError survives the way from a worker process to its parent."""

import pickle

from vis_projects.data.errors import DatasetError


def test_it_is_a_value_error_of_one_string():
    error = pickle.loads(pickle.dumps(DatasetError("frame x.jpg is missing")))
    assert isinstance(error, ValueError)
    assert str(error) == "frame x.jpg is missing"
