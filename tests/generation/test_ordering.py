"""What a run orders: everything that is missing, nothing twice."""

import json
from pathlib import Path

import pytest

from annotation.models import (
    Agent,
    Augmenter,
    GenerationUnit,
    Guidance,
    LanguageModel,
    PromptSet,
    Response,
    SkillOfMind,
    Source,
    Stage,
)
from annotation.services import generation
from annotation.services.generation.recipes import plan_agent
from annotation.services.registry import DEMO_BASELINE, DEMO_TREATMENT, ensure_registry
from annotation.states import RunState, UnitState
from inference_worker.schema import READ_RATIONALE, SKILLS
from tests.build import make_agent, make_dialogue, make_study

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db


def variant(name: str, **over) -> Agent:
    """The demo's treatment with another augmenter."""
    agent = Agent.objects.get(name=DEMO_TREATMENT)
    augmenter = agent.augmenter
    for field, value in {"name": name, **over}.items():
        setattr(augmenter, field, value)
    augmenter.pk = None
    augmenter.save()
    agent.pk, agent.name, agent.augmenter = None, f"with {name}", augmenter
    agent.save()
    return agent


def dialogues_of(study):
    return study.collections.get().dialogues.all()


def test_a_run_ends_with_one_response_for_every_agent_and_dialogue(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.work_off(now=now)
    progress = generation.progress(run, now=now)
    assert (progress.done, progress.waiting, progress.failed) == (15, 0, 0)
    assert run.state == RunState.DONE
    assert Response.objects.filter(is_current=True).count() == 10
    assert SkillOfMind.objects.count() == 5


def test_only_the_guided_agent_has_a_skill_of_mind(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    guided = set(Response.objects.exclude(skill_of_mind=None).values_list("agent__name", flat=True))
    assert guided == {DEMO_TREATMENT}


def test_a_second_run_reuses_everything(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    again = generation.start_run(study, now=now)
    assert (again.reused, again.units.count(), again.state) == (10, 0, RunState.DONE)


def test_changed_sampling_is_generated_again_and_the_old_response_is_kept(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    Agent.objects.filter(name=DEMO_BASELINE).update(temperature=0.1)
    again = generation.start_run(study, now=now)
    assert again.reused == 5
    crew.work_off(now=now)
    texts = Response.objects.filter(agent__name=DEMO_BASELINE)
    assert (texts.count(), texts.filter(is_current=True).count()) == (10, 5)


def test_agents_with_equal_think_settings_share_one_skill_of_mind(study, crew, now):
    agents = [
        Agent.objects.get(name=DEMO_TREATMENT),
        variant("skill only", guidance=Guidance.SKILL),
        variant("explanation only", guidance=Guidance.EXPLANATION),
    ]
    run = generation.start_run(agents=agents, dialogues=dialogues_of(study), now=now)
    assert run.units.filter(stage=Stage.THINK).count() == 5
    crew.work_off(now=now)
    assert SkillOfMind.objects.count() == 5
    assert Response.objects.count() == 15


def test_one_thought_a_dialogue_serves_every_responder_variant_and_control_of_the_registry(study, now):
    """Eleven responders with Thanos 8B, skill only, explanation only, and the control that takes another dialogue's."""
    agents = list(Agent.objects.filter(augmenter__model__slug="thanos-8b"))
    sources = {(agent.augmenter.source, agent.augmenter.guidance) for agent in agents}
    assert len(agents) == 14
    assert sources == {("thanos", "both"), ("thanos", "skill"), ("thanos", "explanation"), ("shuffled", "both")}
    run = generation.start_run(agents=agents, dialogues=dialogues_of(study), now=now)
    thinking = run.units.filter(stage=Stage.THINK)
    assert (thinking.count(), thinking.values("dialogue").distinct().count()) == (5, 5)
    assert run.units.filter(stage=Stage.RESPOND, thinks_first__in=thinking).count() == 5 * len(agents)


def test_other_think_settings_think_again(study, crew, now):
    agents = [Agent.objects.get(name=DEMO_TREATMENT), variant("colder", temperature=0.1)]
    run = generation.start_run(agents=agents, dialogues=dialogues_of(study), now=now)
    assert run.units.filter(stage=Stage.THINK).count() == 10


def test_a_later_agent_uses_what_was_thought_before(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    run = generation.start_run(
        agents=[variant("skill only", guidance=Guidance.SKILL)], dialogues=dialogues_of(study), now=now
    )
    assert set(run.units.values_list("stage", "state")) == {(Stage.RESPOND, UnitState.QUEUED)}


def test_what_another_run_is_at_work_on_moves_and_is_not_made_twice(study, crew, now):
    first = generation.start_run(study, now=now)
    generation.pause(first)
    second = generation.start_run(study, now=now)
    assert (first.units.count(), second.units.count()) == (0, 15)
    crew.work_off(now=now)
    assert generation.progress(second, now=now).done == 15
    assert generation.progress(first, now=now).total == 0
    assert Response.objects.count() == 10


@pytest.mark.parametrize("ends", [generation.cancel, generation.pause])
def test_a_run_that_stops_leaves_the_thoughts_that_another_run_waits_for_to_that_run(study, crew, now, ends):
    first = generation.start_run(study, now=now)
    second = generation.start_run(
        agents=[variant("skill only", guidance=Guidance.SKILL)], dialogues=dialogues_of(study), now=now
    )
    assert second.units.filter(stage=Stage.THINK).count() == 5
    ends(second)
    crew.work_off(now=now)
    assert generation.progress(first, now=now).done == 15
    assert generation.progress(first, now=now).state == RunState.DONE
    assert Response.objects.count() == 10


def test_a_resumed_run_fetches_the_thoughts_that_it_waits_for_from_a_paused_one(study, crew, now):
    first = generation.start_run(study, now=now)
    generation.pause(first)
    second = generation.start_run(
        agents=[variant("skill only", guidance=Guidance.SKILL)], dialogues=dialogues_of(study), now=now
    )
    generation.pause(second)
    assert generation.resume(first)
    crew.work_off(now=now)
    assert generation.progress(first, now=now).done == 15
    assert generation.resume(second)
    crew.work_off(now=now)
    assert generation.progress(second, now=now).done == 5


def test_several_samples_have_seeds_of_their_own(study, crew, now):
    agent = Agent.objects.get(name=DEMO_BASELINE)
    run = generation.start_run(agents=[agent], dialogues=dialogues_of(study), samples=3, now=now)
    assert len(set(run.units.values_list("seed", flat=True))) == 15
    crew.work_off(now=now)
    assert Response.objects.filter(is_current=True).count() == 15


def test_seeds_do_not_depend_on_row_ids(study, now):
    plan_seed = dict(generation.start_run(study, now=now).units.values_list("dialogue__external_id", "seed"))
    GenerationUnit.objects.all().delete()
    copies = [make_dialogue(external_id=f"d{number}") for number in range(5)]
    agent = Agent.objects.get(name=DEMO_BASELINE)
    run = generation.start_run(agents=[agent], dialogues=copies, now=now)
    assert dict(run.units.values_list("dialogue__external_id", "seed")) == plan_seed


def test_a_random_skill_needs_no_model_and_is_the_same_again(study, crew, now):
    agent = variant("random", source=Source.RANDOM, guidance=Guidance.SKILL)
    run = generation.start_run(agents=[agent], dialogues=dialogues_of(study), now=now)
    assert set(run.units.values_list("stage", flat=True)) == {Stage.RESPOND}
    drawn = list(SkillOfMind.objects.order_by("dialogue").values_list("skill", flat=True))
    assert set(drawn) <= set(SKILLS)
    assert len(set(drawn)) > 1
    GenerationUnit.objects.all().delete()
    SkillOfMind.objects.all().delete()
    generation.start_run(agents=[agent], dialogues=dialogues_of(study), now=now)
    assert list(SkillOfMind.objects.order_by("dialogue").values_list("skill", flat=True)) == drawn


def test_a_fixed_skill_is_given_everywhere(study, crew, now):
    agent = variant("fixed", source=Source.FIXED, fixed_skill="Rhetoric")
    generation.start_run(agents=[agent], dialogues=dialogues_of(study), now=now)
    assert set(SkillOfMind.objects.values_list("skill", "outcome")) == {("Rhetoric", "fixed")}


def test_shuffled_guidance_comes_from_another_dialogue_and_shares_its_thought(study, crew, now):
    agents = [Agent.objects.get(name=DEMO_TREATMENT), variant("shuffled", source=Source.SHUFFLED)]
    generation.start_run(agents=agents, dialogues=dialogues_of(study), now=now)
    assert crew.work_off(now=now) == 15
    own = {each.pk: each.dialogue_id for each in SkillOfMind.objects.exclude(provenance__has_key="taken_from")}
    borrowed = SkillOfMind.objects.filter(provenance__has_key="taken_from")
    lenders = [own[each.provenance["taken_from"]["skill_of_mind"]] for each in borrowed]
    assert len(set(lenders)) == 5
    assert all(each.dialogue_id != lender for each, lender in zip(borrowed, lenders, strict=True))


def test_shuffled_guidance_says_which_dialogue_it_was_taken_from(study, crew, now):
    generation.start_run(agents=[variant("shuffled", source=Source.SHUFFLED)], dialogues=dialogues_of(study), now=now)
    crew.work_off(now=now)
    for borrowed in SkillOfMind.objects.filter(provenance__has_key="taken_from"):
        taken = borrowed.provenance["taken_from"]
        assert taken["dialogue"] == SkillOfMind.objects.get(pk=taken["skill_of_mind"]).dialogue.external_id


def test_shuffled_guidance_that_is_thought_again_reaches_the_response(study, crew, now):
    agent = variant("shuffled", source=Source.SHUFFLED)
    generation.start_run(agents=[agent], dialogues=dialogues_of(study), now=now)
    crew.work_off(now=now)
    old = Response.objects.filter(agent=agent).first()
    generation.regenerate([old], rethink=True, now=now)
    assert crew.work_off(now=now) == 2
    new = Response.objects.get(agent=agent, dialogue=old.dialogue, is_current=True)
    thought = SkillOfMind.objects.get(pk=new.skill_of_mind.provenance["taken_from"]["skill_of_mind"])
    assert (thought.is_current, new.skill_of_mind.is_current) == (True, True)
    assert thought.created_at > old.created_at
    old.skill_of_mind.refresh_from_db()
    assert not old.skill_of_mind.is_current


def test_shuffled_guidance_of_a_single_dialogue_is_refused(study, now):
    agent = variant("shuffled", source=Source.SHUFFLED)
    with pytest.raises(generation.NotReady, match="at least two"):
        generation.start_run(agents=[agent], dialogues=[make_dialogue()], now=now)


def test_the_responders_own_skill_is_thought_by_the_responder(study, now):
    agent = variant("own", source=Source.OWN, model=None)
    run = generation.start_run(agents=[agent], dialogues=dialogues_of(study), now=now)
    assert set(run.units.filter(stage=Stage.THINK).values_list("model", flat=True)) == {agent.responder_id}


def test_a_chain_of_thought_gives_an_explanation_and_looks_for_no_skill(study):
    plan = plan_agent(variant("doctor", source=Source.DOCTOR))
    assert (plan.think.recipe.skills, plan.think.recipe.reads) == ((), READ_RATIONALE)
    assert "{skill}" not in plan.recipe.user


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"model": None}, "has no model"),
        ({"prompt_set": None}, "has no prompt set"),
        ({"source": Source.FIXED}, "fill in the fixed skill"),
    ],
)
def test_an_augmenter_that_lacks_something_says_so(study, over, sentence):
    with pytest.raises(generation.NotReady, match=sentence):
        plan_agent(variant("lacking", **over))


def test_a_prompt_set_without_the_role_says_so(study):
    empty = PromptSet.objects.create(name="Empty", sha256="0" * 64, templates={})
    agent = Agent.objects.get(name=DEMO_BASELINE)
    agent.prompt_set = empty
    with pytest.raises(generation.NotReady, match='"Empty" has no template "baseline"'):
        plan_agent(agent)


def test_agents_without_a_responder_are_passed_over(study, now):
    imported = Agent.objects.create(name="Imported")
    run = generation.start_run(agents=[imported], dialogues=dialogues_of(study), now=now)
    assert (run.units.count(), run.state) == (0, RunState.DONE)


def test_a_study_without_agents_has_nothing_to_generate(now):
    with pytest.raises(generation.NothingToGenerate, match="choose agents first"):
        generation.start_run(make_study(), now=now)


def test_a_study_without_dialogues_has_nothing_to_generate(study, now):
    with pytest.raises(generation.NothingToGenerate, match="choose dialogues first"):
        generation.start_run(agents=[make_agent()], dialogues=[], now=now)


def test_regenerating_keeps_the_old_response_and_draws_with_a_new_seed(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    old = Response.objects.filter(agent__name=DEMO_TREATMENT).first()
    run = generation.regenerate([old], now=now)
    assert list(run.units.values_list("stage", flat=True)) == [Stage.RESPOND]
    crew.work_off(now=now)
    new = Response.objects.get(dialogue=old.dialogue, agent=old.agent, is_current=True)
    assert new.pk != old.pk
    assert new.provenance["seed"] != old.provenance["seed"]
    assert new.skill_of_mind_id == old.skill_of_mind_id


def test_regenerating_with_a_new_thought_keeps_the_old_one(study, crew, now):
    generation.start_run(study, now=now)
    crew.work_off(now=now)
    old = Response.objects.filter(agent__name=DEMO_TREATMENT).first()
    generation.regenerate([old], rethink=True, now=now)
    assert crew.work_off(now=now) == 2
    thoughts = SkillOfMind.objects.filter(dialogue=old.dialogue)
    assert sorted(thoughts.values_list("is_current", flat=True)) == [False, True]
    new = Response.objects.get(dialogue=old.dialogue, agent=old.agent, is_current=True)
    assert new.skill_of_mind.is_current


def test_ordering_costs_the_same_number_of_queries_for_more_dialogues(study, crew, now, django_assert_max_num_queries):
    for number in range(200):
        make_dialogue(collection=study.collections.get(), external_id=f"more{number}")
    with django_assert_max_num_queries(45):
        run = generation.start_run(study, now=now)
    assert run.units.count() == 3 * 205


def test_an_augmenter_of_the_registry_is_never_changed_again(study):
    Augmenter.objects.filter(name="Demo augmenter").update(temperature=0.2)
    counts = (Agent.objects.count(), Augmenter.objects.count(), PromptSet.objects.count())
    ensure_registry()
    assert counts == (Agent.objects.count(), Augmenter.objects.count(), PromptSet.objects.count())
    assert Augmenter.objects.get(name="Demo augmenter").temperature == 0.2


def test_the_registry_and_the_workers_know_the_same_models(study):
    known = json.loads((ROOT / "inference_worker" / "models.json").read_text(encoding="utf-8"))
    registered = LanguageModel.objects.values_list("slug", "backend", "source")
    assert {slug: (model["backend"], model["source"]) for slug, model in known.items()} == {
        slug: (backend, source) for slug, backend, source in registered
    }


def test_every_agent_of_the_registry_can_be_planned(study):
    hashes = [plan_agent(agent).settings_hash for agent in Agent.objects.all()]
    assert len(set(hashes)) == len(hashes)


def test_the_demo_augmenter_says_that_it_is_not_thanos(study):
    agent = Agent.objects.get(name=DEMO_TREATMENT)
    assert agent.note == agent.augmenter.note == "demo augmenter, not Thanos"
