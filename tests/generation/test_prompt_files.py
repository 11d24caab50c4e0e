"""Published prompts are read, not run, and a file that does not hold them is refused in words."""

import contextlib
import functools
import http.server
import threading

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import PromptSet, Source
from annotation.prompt_files import JOINED, MAX_BYTES, PromptFileError, placeholders, read_templates
from annotation.services import prompts
from annotation.services.generation.recipes import plan_agent
from annotation.services.prompts import import_prompts
from tests.build import make_agent, make_augmenter, make_matchup, make_prompt_set, make_researcher, make_study

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
        (FILE.replace("{dialogue} Which", "{dialogue!r} Which"), "{dialogue!r}: only plain names"),
        (FILE.replace("{dialogue} Which", "{dialogue} {skill.__class__} Which"), "{skill.__class__}: only plain names"),
        (FILE.replace("{dialogue} Which", "{dialogue} {dialogue:>99999999} Which"), "{dialogue:>99999999}: only plain"),
        (FILE.replace("{dialogue} Which", "{dialogue} {0} Which"), "asks for 0, which nobody fills"),
        (FILE.replace("{dialogue} Which", "{{dialogue}} Which"), "OUR_BASE_SKILL_TEMPLATE has no place for {dialogue}"),
        (
            FILE.replace("{dialogue} Which", "{dialogue} {explanation} Which"),
            "asks for {explanation}, which is not for",
        ),
        (
            FILE.replace("\\n{skill}\\n", "\\n{skill} {rationale}\\n"),
            "TEMPLATE_SKILL asks for {rationale}, which is not",
        ),
        (
            FILE.replace("{social_context}\\n{dialogue}", "{dialogue}{skill}"),
            "RESP_TEMPLATE asks for {skill}, which is not",
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


def test_a_file_that_an_editor_began_with_its_mark_is_read():
    assert read_templates(b"\xef\xbb\xbf" + FILE.encode()) == read_templates(FILE.encode())


def test_a_file_in_latin_1_is_refused():
    with pytest.raises(PromptFileError, match="not UTF-8"):
        read_templates(f"# -*- coding: latin-1 -*-{FILE}".replace("You help.", "Für dich.").encode("latin-1"))


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
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/prompt_templates.py"
        assert import_prompts(url).prompt_set.source == url
        with pytest.raises(PromptFileError, match="answers 404"):
            import_prompts(url.replace(".py", ".txt"))
        server.shutdown()


@contextlib.contextmanager
def serving(answer):
    """An HTTP server that answers every request with this function; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(ConnectionError):
                answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/prompt_templates.py"
        server.shutdown()


def redirect_to(address):
    def answer(request):
        request.send_response(302)
        request.send_header("Location", address)
        request.end_headers()

    return answer


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x.py", "gopher://127.0.0.1/"])
def test_a_redirect_away_from_http_is_refused(address):
    with serving(redirect_to(address)) as url, pytest.raises(PromptFileError, match="leads away from http"):
        import_prompts(url)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "0.0.0.0", "2130706433"]
)
def test_a_redirect_from_outside_into_this_network_is_refused(monkeypatch, inside):
    asked = []

    def answer(request):
        asked.append(request.path)
        redirect_to(f"http://{inside}/latest/meta-data")(request)

    with serving(answer) as url:
        # The server stands in as a proxy for the whole network: there is no address outside of this machine.
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/prompt_templates.py"))
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(PromptFileError, match="an address of this network"):
            import_prompts("http://prompts.example/prompt_templates.py")
    assert asked == ["http://prompts.example/prompt_templates.py"]


@pytest.mark.django_db
def test_a_password_in_an_address_is_used_and_not_kept(file):
    seen = []

    def answer(request):
        seen.append(request.headers["Authorization"])
        request.send_response(200)
        request.end_headers()
        request.wfile.write(FILE.encode())

    with serving(answer) as url:
        found = import_prompts(url.replace("http://", "HTTP://me:secret@"))
    assert seen[0].startswith("Basic ")
    assert found.prompt_set.source == url


@pytest.mark.django_db
def test_a_redirect_to_another_page_is_followed_and_one_in_circles_is_not(file):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with serving(redirect_to(f"http://127.0.0.1:{server.server_port}/prompt_templates.py")) as url:
            assert import_prompts(url).prompt_set.source == url
        server.shutdown()
    with serving(redirect_to("/again")) as url, pytest.raises(PromptFileError, match="Cannot fetch"):
        import_prompts(url)


@pytest.mark.django_db
def test_a_file_without_end_is_given_up_at_the_limit():
    sent = []

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"#" * 65536)
            sent.append(65536)

    with serving(endless) as url, pytest.raises(PromptFileError, match="larger than 2 MB"):
        import_prompts(url)
    assert sum(sent) < 20 * MAX_BYTES


@pytest.mark.django_db
def test_a_server_that_trickles_is_given_up(monkeypatch):
    monkeypatch.setattr(prompts, "SECONDS_IN_ALL", 0.3)
    goes_on = threading.Event()

    def trickle(request):
        request.send_response(200)
        request.end_headers()
        while not goes_on.wait(0.05):
            request.wfile.write(b"#")

    with serving(trickle) as url, pytest.raises(PromptFileError, match="takes longer than"):
        import_prompts(url)
    goes_on.set()


@pytest.mark.django_db
def test_a_study_says_which_prompts_its_agents_and_augmenters_use(file, client):
    published = import_prompts(str(file)).prompt_set
    own = make_prompt_set(name="Own words")
    study = make_study()
    guided = make_agent(name="Guided", prompt_set=published, augmenter=make_augmenter(name="Thanos", prompt_set=own))
    make_matchup(study, baseline=make_agent(name="Alone", prompt_set=published), treatment=guided)
    assert prompts.used_in(study) == [(own, ["Thanos"]), (published, ["Alone", "Guided"])]
    client.force_login(make_researcher())
    panel = client.get(reverse("admin:annotation_study_panel", args=[study.pk])).content.decode()
    assert published.name in panel
    assert "in Alone, Guided" in panel
    results = client.get(reverse("results", args=[study.code])).content.decode()
    assert published.sha256[:12] in results
    assert "Own words" in results


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
    published = import_prompts(str(file)).prompt_set
    asking = make_prompt_set(templates={"doctor": {"user": "{dialogue} Reason."}})
    augmenter = make_augmenter(source=Source.DOCTOR, prompt_set=asking)
    agent = make_agent(prompt_set=published, augmenter=augmenter)
    assert plan_agent(agent).recipe.user == published.templates["doctor_respond"]["user"]
