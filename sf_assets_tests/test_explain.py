"""The page of a company ends in a page or in a sentence, whatever is missing."""

from pathlib import Path

import pytest

from sf_assets.operations import explain
from sf_assets.vocabulary.failures import PermanentFailure

SIREN = "005520135"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path))
    return tmp_path


def test_a_month_that_was_never_scored_is_said_so(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.main(["2026-10", SIREN]) == 1
    told = capsys.readouterr().err
    assert "model_scores, 2026-10" in told
    assert "list_corrections, 2026-10" in told
    assert "Traceback" not in told
    assert not (empty / "explanations").exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (explain.UnknownCompany("expected one of 3 companies scored"), "expected one of 3 companies scored"),
        (PermanentFailure("materialise model_scores again"), "materialise model_scores again"),
    ],
)
@pytest.mark.usefixtures("empty")
def test_what_a_page_cannot_be_made_of_is_a_sentence(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> str:
        raise error

    monkeypatch.setattr(explain, "page", fails)
    assert explain.main(["2026-10", SIREN]) == 1
    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.usefixtures("empty")
def test_a_bug_is_not_taken_for_a_lack_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "page", lambda *_: {}["siren"])
    with pytest.raises(KeyError):
        explain.main(["2026-10", SIREN])


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("wrong", ["12345", "00552013A", "٠٠٥٥٢٠١٣٥"])
def test_a_siren_has_nine_digits(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        explain.main(["2026-10", wrong])
    assert ended.value.code == 2
    assert "expected nine digits" in capsys.readouterr().err


def test_a_setting_that_is_none_is_a_sentence(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SF_THREADS", "many")
    with pytest.raises(SystemExit):
        explain.main(["2026-10", SIREN])
    assert "SF_THREADS" in capsys.readouterr().err
