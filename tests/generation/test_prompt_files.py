"""Published prompts are read, not run, and a file that does not hold them is refused in words."""

import functools
import http.server
import threading

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import PromptSet, Source
from annotation.prompt_files import JOINED, PromptFileError, placeholders, read_templates
from annotation.services.generation.recipes import plan_agent
from annotation.services.prompts import import_prompts
from tests.build import make_agent, make_augmenter, make_prompt_set

FILE = '''
"""Prompts in the shape of the published file, in words of our own."""
import os

THANOS_SKILL_SYSTEM_MESSAGE = "You look into minds."
THANOS_SKILL_TEMPLATE = """### Task Description:
Explain.

### Social Context:
{social_context}

### Dialogue:
{dialogue}

### Explanation: """
THANOS_NEXT_RESP_SYSTEM_MESSAGE = "You help."
THANOS_NEXT_RESP_TEMPLATE_BOTH = (
    "[Dialogue]\\n{dialogue}\\n"
    "[Explanation and Skill]\\n{explanation} It takes {skill}.\\n[Next Response]\\n{next_speaker}"
)
THANOS_NEXT_RESP_TEMPLATE_SKILL: str = "{dialogue}\\n{skill}\\n{next_speaker}:"
THANOS_NEXT_RESP_TEMPLATE_RATIONALE = "{dialogue}\\n{rationale}\\n{next_speaker}:"
OUR_BASE_NEXT_RESP_SYSTEM_MESSAGE = "You help, too."
OUR_BASE_NEXT_RESP_TEMPLATE = "{social_context}\\n{dialogue}\\n{next_speaker}:"
OUR_BASE_SKILL_SYSTEM_MESSAGE = "You name skills."
OUR_BASE_SKILL_TEMPLATE = "{dialogue} Which skill?"
DOCTOR_CHATGPT_TEMPLATE = "{dialogue}\\n{rationale}\\n{next_speaker}:"
SOMETHING_ELSE = os.environ
'''


def without(name: str) -> str:
    return "\n".join(line for line in FILE.split("\n") if not line.startswith(name))


def refusal(text: str) -> str:
    with pytest.raises(PromptFileError) as raised:
        read_templates(text.encode())
    return raised.value.user_message


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "prompt_templates.py"
    path.write_text(FILE)
    return path


def test_every_published_name_finds_its_role():
    templates = read_templates(FILE.encode())
    assert set(templates) == {"think", "both", "skill", "explanation", "baseline", "own_skill", "doctor_respond"}
    assert templates["think"]["system"] == "You look into minds."
    assert templates["think"]["user"].endswith("### Explanation: ")
    assert templates["baseline"]["system"] == "You help, too."


def test_nothing_in_the_file_is_run(tmp_path):
    trap = tmp_path / "ran"
    read_templates(f"{FILE}\nopen({str(trap)!r}, 'w').write('x')\n".encode())
    assert not trap.exists()


def test_one_place_for_both_parts_gets_them_joined_as_published():
    templates = read_templates(FILE.replace("{explanation} It takes {skill}.", "{explanation}").encode())
    assert JOINED in templates["both"]["user"]
    assert placeholders(templates["both"]["user"]) >= {"explanation", "skill"}


def test_a_doctor_template_without_a_place_for_a_thought_asks_for_one():
    file = without("DOCTOR_CHATGPT_TEMPLATE") + '\nDOCTOR_CHATGPT_TEMPLATE = "{dialogue} Reason."'
    assert read_templates(file.encode())["doctor"]["user"] == "{dialogue} Reason."


@pytest.mark.parametrize("name", ["THANOS_SKILL_TEMPLATE", "OUR_BASE_NEXT_RESP_SYSTEM_MESSAGE"])
def test_a_missing_template_is_named(name):
    broken = FILE.replace(name, f"OTHER_{name}")
    assert name in refusal(broken)
    assert "utils/prompt_templates.py" in refusal(broken)


def test_the_optional_ones_may_be_missing():
    assert "own_skill" not in read_templates(without("OUR_BASE_SKILL").encode())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FILE.replace('"You help."', "make()"), "THANOS_NEXT_RESP_SYSTEM_MESSAGE must be a plain text"),
        (FILE.replace('"You help."', 'f"{1}"'), "THANOS_NEXT_RESP_SYSTEM_MESSAGE must be a plain text"),
        (FILE.replace('"You help."', '""'), "THANOS_NEXT_RESP_SYSTEM_MESSAGE must be a plain text"),
        (FILE + '\nOUR_BASE_SKILL_TEMPLATE = "again"', "is there twice"),
        (FILE.replace("{dialogue} Which", "{chat} Which"), "{chat}, which nobody fills"),
        (
            FILE.replace("{dialogue}\\n{skill}", "{dialogue}"),
            "THANOS_NEXT_RESP_TEMPLATE_SKILL has no place for {skill}",
        ),
        ("<!DOCTYPE html>\n<html>", "give the address of the raw file"),
        ("x = 1", "lacks"),
        ("", "lacks"),
        ("(" * 5000, "Line 1 is not Python"),
        ("-" * 100_000 + "1", "cannot be read as Python"),
        (FILE.replace('"You help."', '"You \\[ help."').replace("{skill}", "{s}"), "{s}, which nobody fills"),
        ("\x00", "Python"),
    ],
)
def test_a_wrong_file_is_refused_in_words(text, sentence):
    assert sentence in refusal(text)


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(PromptFileError, match="not UTF-8"):
        read_templates(b"\xff\xfe\x00")
    with pytest.raises(PromptFileError, match="larger than 2 MB"):
        read_templates(b"#" * (2 * 1024 * 1024 + 1))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(PromptFileError):
        read_templates(text.encode("utf-8", "surrogatepass"))


@pytest.mark.django_db
def test_the_same_file_gives_the_same_set(file):
    first, is_new = import_prompts(str(file))
    again, is_new_again = import_prompts(str(file))
    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    assert (first.is_published, first.source) == (True, str(file))
    assert len(first.sha256) == 64


@pytest.mark.django_db
def test_another_file_gives_another_set(file):
    first, _ = import_prompts(str(file))
    file.write_text(FILE.replace("You help.", "You assist."))
    second, is_new = import_prompts(str(file))
    assert is_new
    assert (second.name != first.name, PromptSet.objects.count()) == (True, 2)


@pytest.mark.django_db
def test_a_clone_of_the_repository_will_do(tmp_path):
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "prompt_templates.py").write_text(FILE)
    assert import_prompts(str(tmp_path)).is_new


@pytest.mark.django_db
def test_an_address_is_fetched_and_kept_as_the_source(file):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/prompt_templates.py"
        assert import_prompts(url).prompt_set.source == url
        with pytest.raises(PromptFileError, match="answers 404"):
            import_prompts(url.replace(".py", ".txt"))
        server.shutdown()


@pytest.mark.django_db
def test_the_command_prints_where_the_prompts_came_from(file, capsys):
    call_command("import_prompts", str(file))
    printed = capsys.readouterr().out
    assert str(file) in printed
    assert PromptSet.objects.get().sha256 in printed


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["/no/such/file.py", "http://127.0.0.1:1/x.py", "https://["])
def test_the_command_says_what_it_cannot_read(place):
    with pytest.raises(CommandError, match=r"Cannot (read|fetch)"):
        call_command("import_prompts", place)


@pytest.mark.django_db
def test_a_chain_of_thought_is_answered_with_its_published_template(file):
    prompts = import_prompts(str(file)).prompt_set
    asking = make_prompt_set(templates={"doctor": {"user": "{dialogue} Reason."}})
    augmenter = make_augmenter(source=Source.DOCTOR, prompt_set=asking)
    agent = make_agent(prompt_set=prompts, augmenter=augmenter)
    assert plan_agent(agent).recipe.user == prompts.templates["doctor_respond"]["user"]
