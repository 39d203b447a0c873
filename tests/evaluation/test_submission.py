import json
import zipfile

import pytest

from vis_projects.evaluation.submission import write_results


@pytest.mark.parametrize("videos", [[], [[]], [[], [{"a": 1}, {"a": 2}], [{"a": 3}]]])
def test_json_list_and_zip_with_that_file_alone(tmp_path, videos):
    results, archive = write_results(tmp_path, iter(videos))
    assert json.loads(results.read_text()) == [record for records in videos for record in records]
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == ["results.json"]
        assert file.read("results.json") == results.read_bytes()
