import annotation.states
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Annotator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "pseudonym",
                    models.CharField(help_text="Names the person in exports, in this study alone.", max_length=40),
                ),
                ("platform", models.CharField(default="open", max_length=20)),
                ("platform_hash", models.CharField(blank=True, max_length=64)),
                ("is_simulated", models.BooleanField(default=False)),
                ("consent_version", models.CharField(max_length=60)),
                ("consent_sha256", models.CharField(max_length=64)),
                ("consented_at", models.DateTimeField()),
                ("instructed_at", models.DateTimeField(blank=True, null=True)),
                ("seed", models.PositiveIntegerField()),
                (
                    "left_balance",
                    models.IntegerField(default=0, help_text="Judged with the treatment left, minus right."),
                ),
                (
                    "submitted_count",
                    models.PositiveIntegerField(default=0, help_text="Comparisons judged, surplus ones included."),
                ),
                (
                    "last_submitted_id",
                    models.BigIntegerField(
                        blank=True, help_text="The assignment that can still be corrected.", null=True
                    ),
                ),
                ("last_dialogue_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "exit",
                    models.CharField(
                        blank=True,
                        choices=[
                            (annotation.states.Exit["COMPLETED"], "completed"),
                            (annotation.states.Exit["NO_CONSENT"], "no_consent"),
                            (annotation.states.Exit["NOT_ELIGIBLE"], "not_eligible"),
                            (annotation.states.Exit["FAILED_COMPREHENSION"], "failed_comprehension"),
                            (annotation.states.Exit["FAILED_TRAINING"], "failed_training"),
                            (annotation.states.Exit["QUOTA_FULL"], "quota_full"),
                            (annotation.states.Exit["RETURNED"], "returned"),
                            (annotation.states.Exit["TIMED_OUT"], "timed_out"),
                            (annotation.states.Exit["WITHDREW"], "withdrew"),
                            (annotation.states.Exit["TECHNICAL_PROBLEM"], "technical_problem"),
                        ],
                        max_length=24,
                    ),
                ),
                ("exited_at", models.DateTimeField(blank=True, null=True)),
                ("completion_code", models.CharField(blank=True, max_length=40)),
                ("excluded_reason", models.CharField(blank=True, max_length=300)),
                ("excluded_at", models.DateTimeField(blank=True, null=True)),
                ("feedback", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="Augmenter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "temperature",
                    models.FloatField(
                        default=0.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(2),
                        ],
                    ),
                ),
                (
                    "top_p",
                    models.FloatField(
                        default=1.0,
                        validators=[
                            django.core.validators.MinValueValidator(0.01),
                            django.core.validators.MaxValueValidator(1),
                        ],
                    ),
                ),
                (
                    "max_new_tokens",
                    models.PositiveIntegerField(
                        default=256,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(8192),
                        ],
                    ),
                ),
                (
                    "seed",
                    models.PositiveIntegerField(default=0, help_text="Every text's own seed is made from this one."),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("thanos", "Skill-of-mind model (Thanos)"),
                            ("own", "The responder's own skill"),
                            ("doctor", "Dialogue chain of thought (DOCTOR)"),
                            ("random", "Control: a random skill"),
                            ("shuffled", "Control: guidance of another dialogue"),
                            ("fixed", "A skill fixed by the researcher"),
                        ],
                        default="thanos",
                        max_length=20,
                    ),
                ),
                (
                    "guidance",
                    models.CharField(
                        choices=[
                            ("both", "Explanation and skill"),
                            ("skill", "Skill only"),
                            ("explanation", "Explanation only"),
                        ],
                        default="both",
                        max_length=20,
                    ),
                ),
                ("fixed_skill", models.CharField(blank=True, max_length=60)),
                (
                    "uses_grammar",
                    models.BooleanField(
                        default=False, help_text="Force the output format: for models not tuned to write it."
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, help_text="Shown to researchers wherever its results appear.", max_length=300
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                ("description", models.TextField(blank=True)),
                (
                    "source",
                    models.CharField(
                        blank=True, help_text="Where the dialogues come from: a paper, an address.", max_length=500
                    ),
                ),
                (
                    "licence",
                    models.CharField(
                        blank=True, help_text="Under which terms they may be used, e.g. CC BY 4.0.", max_length=200
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Comparison",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            (annotation.states.ComparisonKind["MAIN"], "main"),
                            (annotation.states.ComparisonKind["CHECK"], "check"),
                            (annotation.states.ComparisonKind["GOLD"], "gold"),
                            (annotation.states.ComparisonKind["REPEAT"], "repeat"),
                            (annotation.states.ComparisonKind["TRAINING"], "training"),
                        ],
                        default=annotation.states.ComparisonKind["MAIN"],
                        max_length=10,
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("excluded_reason", models.CharField(blank=True, max_length=300)),
                ("excluded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "released_reason",
                    models.CharField(
                        blank=True,
                        help_text="Why it is shown although a check flagged one of its responses.",
                        max_length=300,
                    ),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Criterion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(help_text="Its name in the CSV, e.g. naturalness.", max_length=60)),
                ("name", models.CharField(max_length=100)),
                ("question", models.CharField(max_length=300)),
                ("definition", models.TextField(help_text="One or two sentences for lay people.")),
                ("position", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "criteria",
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="GenerationRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (annotation.states.RunState["RUNNING"], "running"),
                            (annotation.states.RunState["PAUSED"], "paused"),
                            (annotation.states.RunState["CANCELLED"], "cancelled"),
                            (annotation.states.RunState["DONE"], "done"),
                        ],
                        default=annotation.states.RunState["RUNNING"],
                        max_length=12,
                    ),
                ),
                (
                    "reused",
                    models.PositiveIntegerField(
                        default=0, help_text="Responses that were there already, with equal settings."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="LanguageModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "slug",
                    models.SlugField(
                        help_text="Names the queue: workers start with this word.", max_length=80, unique=True
                    ),
                ),
                (
                    "backend",
                    models.CharField(
                        choices=[
                            ("llamacpp", "llama.cpp (embedded, CPU)"),
                            ("vllm", "vLLM (GPU)"),
                            ("transformers", "transformers"),
                            ("openai", "OpenAI-compatible endpoint"),
                            ("replay", "Replay from a file"),
                        ],
                        max_length=20,
                    ),
                ),
                ("source", models.CharField(help_text="Hub id, path, packaged file or endpoint name.", max_length=300)),
                (
                    "revision",
                    models.CharField(blank=True, help_text="Commit on the hub, to pin the weights.", max_length=100),
                ),
                (
                    "options",
                    models.JSONField(blank=True, default=dict, help_text='Engine options, e.g. {"dtype": "bfloat16"}.'),
                ),
                (
                    "batch_items",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The most texts sent in one batch; empty = what suits the engine.",
                        null=True,
                    ),
                ),
                (
                    "batch_tokens",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The most tokens expected in one batch; empty = what suits the engine.",
                        null=True,
                    ),
                ),
                ("licence", models.CharField(blank=True, max_length=200)),
                (
                    "note",
                    models.CharField(
                        blank=True, help_text="Shown to researchers wherever the model appears.", max_length=300
                    ),
                ),
            ],
            options={
                "verbose_name": "model",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PromptSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "source",
                    models.CharField(
                        blank=True, help_text="Our own words, or where the published file came from.", max_length=500
                    ),
                ),
                ("sha256", models.CharField(editable=False, max_length=64)),
                (
                    "is_published",
                    models.BooleanField(default=False, help_text="The wording that a model's authors published."),
                ),
                (
                    "templates",
                    models.JSONField(help_text='{"think": {"system": …, "user": …}, "baseline": …, "both": …, …}'),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Agent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "temperature",
                    models.FloatField(
                        default=0.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(2),
                        ],
                    ),
                ),
                (
                    "top_p",
                    models.FloatField(
                        default=1.0,
                        validators=[
                            django.core.validators.MinValueValidator(0.01),
                            django.core.validators.MaxValueValidator(1),
                        ],
                    ),
                ),
                (
                    "max_new_tokens",
                    models.PositiveIntegerField(
                        default=256,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(8192),
                        ],
                    ),
                ),
                (
                    "seed",
                    models.PositiveIntegerField(default=0, help_text="Every text's own seed is made from this one."),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "keeps_full_sentences",
                    models.BooleanField(
                        default=False,
                        help_text="Where the token limit cuts a response, show it up to its last full sentence (noted as shortened).",
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True, help_text="Shown to researchers wherever its results appear.", max_length=300
                    ),
                ),
                (
                    "augmenter",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agents",
                        to="annotation.augmenter",
                    ),
                ),
                (
                    "responder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agents",
                        to="annotation.languagemodel",
                    ),
                ),
                (
                    "prompt_set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agents",
                        to="annotation.promptset",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (annotation.states.AssignmentState["CLAIMED"], "claimed"),
                            (annotation.states.AssignmentState["SUBMITTED"], "submitted"),
                            (annotation.states.AssignmentState["EXPIRED"], "expired"),
                            (annotation.states.AssignmentState["RELEASED"], "released"),
                            (annotation.states.AssignmentState["WITHDRAWN"], "withdrawn"),
                            (annotation.states.AssignmentState["SURPLUS"], "surplus"),
                        ],
                        default=annotation.states.AssignmentState["CLAIMED"],
                        max_length=10,
                    ),
                ),
                ("code", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("number", models.PositiveIntegerField(help_text="1 for the annotator's first comparison.")),
                ("claimed_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("corrected_at", models.DateTimeField(blank=True, null=True)),
                ("draft", models.JSONField(blank=True, default=dict)),
                (
                    "active_ms",
                    models.PositiveIntegerField(
                        blank=True, help_text="Time with the page in view, as the page says.", null=True
                    ),
                ),
                (
                    "blurs",
                    models.PositiveIntegerField(
                        blank=True, help_text="How often the page lost focus, as the page says.", null=True
                    ),
                ),
                (
                    "annotator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="annotation.annotator",
                    ),
                ),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="annotation.comparison",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Dialogue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "external_id",
                    models.CharField(
                        help_text="The id in the imported file; unique in its collection.",
                        max_length=200,
                        verbose_name="id",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True, db_index=True, help_text="For strata, e.g. empathy or small-talk.", max_length=60
                    ),
                ),
                ("social_context", models.TextField(blank=True)),
                ("turns", models.JSONField(help_text='A list of {"speaker": …, "text": …}, oldest first.')),
                ("next_speaker", models.CharField(max_length=200)),
                ("reference", models.TextField(blank=True, verbose_name="reference response")),
                ("reference_skills", models.JSONField(blank=True, default=list)),
                ("language", models.CharField(default="en", help_text="BCP 47 tag, e.g. en or pt-BR.", max_length=35)),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "content_warning",
                    models.CharField(
                        blank=True, help_text="Shown before the dialogue; may be skipped.", max_length=300
                    ),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dialogues",
                        to="annotation.collection",
                    ),
                ),
            ],
            options={
                "ordering": ["collection_id", "id"],
            },
        ),
        migrations.AddField(
            model_name="comparison",
            name="dialogue",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="comparisons", to="annotation.dialogue"
            ),
        ),
        migrations.CreateModel(
            name="Judgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            (annotation.states.Outcome["BASELINE"], "baseline"),
                            (annotation.states.Outcome["TIE"], "tie"),
                            (annotation.states.Outcome["TREATMENT"], "treatment"),
                            (annotation.states.Outcome["BOTH_BAD"], "both_bad"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "grade",
                    models.SmallIntegerField(
                        blank=True,
                        help_text="Graded scales: negative = baseline better, 0 = the same, positive = treatment better.",
                        null=True,
                    ),
                ),
                (
                    "treatment_side",
                    models.CharField(
                        choices=[(annotation.states.Side["LEFT"], "left"), (annotation.states.Side["RIGHT"], "right")],
                        max_length=5,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "assignment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="judgements",
                        to="annotation.assignment",
                    ),
                ),
                (
                    "criterion",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="judgements",
                        to="annotation.criterion",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="augmenter",
            name="model",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="augmenters",
                to="annotation.languagemodel",
            ),
        ),
        migrations.CreateModel(
            name="Matchup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "baseline",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="baseline_in", to="annotation.agent"
                    ),
                ),
                (
                    "treatment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="treatment_in", to="annotation.agent"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="comparison",
            name="matchup",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, related_name="comparisons", to="annotation.matchup"
            ),
        ),
        migrations.AddField(
            model_name="augmenter",
            name="prompt_set",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="augmenters",
                to="annotation.promptset",
            ),
        ),
        migrations.CreateModel(
            name="Response",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sample", models.PositiveIntegerField(default=0)),
                ("text", models.TextField(blank=True)),
                ("raw_text", models.TextField(blank=True)),
                (
                    "settings_hash",
                    models.CharField(
                        blank=True,
                        help_text="Names all settings that made it: equal settings are not run twice.",
                        max_length=64,
                    ),
                ),
                (
                    "flags",
                    models.JSONField(
                        blank=True, default=list, help_text="What the checks found, e.g. empty or truncated."
                    ),
                ),
                ("provenance", models.JSONField(default=dict)),
                (
                    "is_current",
                    models.BooleanField(default=True, help_text="A regenerated response keeps its predecessor."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="responses", to="annotation.agent"
                    ),
                ),
                (
                    "dialogue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="responses", to="annotation.dialogue"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="comparison",
            name="baseline_response",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="annotation.response",
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="treatment_response",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="annotation.response",
            ),
        ),
        migrations.CreateModel(
            name="RunCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(
                        choices=[("outcome", "Outcome of a skill-of-mind"), ("flag", "Flag of a response")],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=40)),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counts",
                        to="annotation.generationrun",
                    ),
                ),
            ],
            options={
                "ordering": ["subject", "-count", "value"],
            },
        ),
        migrations.CreateModel(
            name="RunTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(choices=[("think", "Think"), ("respond", "Respond")], max_length=10)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("cancelled", models.PositiveIntegerField(default=0)),
                (
                    "lost",
                    models.PositiveIntegerField(
                        default=0, help_text="How often a unit that was sent was lost on the way or with its worker."
                    ),
                ),
                ("prompt_tokens", models.PositiveBigIntegerField(default=0)),
                ("completion_tokens", models.PositiveBigIntegerField(default=0)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="annotation.languagemodel"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tallies",
                        to="annotation.generationrun",
                    ),
                ),
            ],
            options={
                "ordering": ["-stage", "model_id"],
            },
        ),
        migrations.CreateModel(
            name="SkillOfMind",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settings_hash", models.CharField(max_length=64)),
                ("sample", models.PositiveIntegerField(default=0)),
                ("explanation", models.TextField(blank=True)),
                ("skill", models.CharField(blank=True, max_length=200)),
                ("nearest_skill", models.CharField(blank=True, max_length=60)),
                ("outcome", models.CharField(max_length=30)),
                ("raw_text", models.TextField(blank=True)),
                ("provenance", models.JSONField(default=dict)),
                ("is_current", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "dialogue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skills_of_mind",
                        to="annotation.dialogue",
                    ),
                ),
            ],
            options={
                "verbose_name": "skill-of-mind",
                "verbose_name_plural": "skills-of-mind",
            },
        ),
        migrations.AddField(
            model_name="response",
            name="skill_of_mind",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="responses",
                to="annotation.skillofmind",
            ),
        ),
        migrations.CreateModel(
            name="GenerationUnit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(choices=[("think", "Think"), ("respond", "Respond")], max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (annotation.states.UnitState["WAITING"], "waiting"),
                            (annotation.states.UnitState["QUEUED"], "queued"),
                            (annotation.states.UnitState["SENT"], "sent"),
                            (annotation.states.UnitState["DONE"], "done"),
                            (annotation.states.UnitState["FAILED"], "failed"),
                            (annotation.states.UnitState["CANCELLED"], "cancelled"),
                        ],
                        default=annotation.states.UnitState["QUEUED"],
                        max_length=12,
                    ),
                ),
                (
                    "settings_hash",
                    models.CharField(
                        help_text="Think: the settings shared by augmenters. Respond: the agent's.", max_length=64
                    ),
                ),
                ("sample", models.PositiveIntegerField(default=0)),
                ("seed", models.PositiveBigIntegerField(default=0)),
                ("batch", models.UUIDField(blank=True, null=True)),
                ("token", models.UUIDField(blank=True, help_text="The attempt: a record must carry it.", null=True)),
                ("attempt", models.PositiveIntegerField(default=0)),
                (
                    "losses",
                    models.PositiveIntegerField(default=0, help_text="How often its worker went silent while it ran."),
                ),
                (
                    "errors",
                    models.PositiveIntegerField(
                        default=0, help_text="How often it ended in an error that may pass by itself."
                    ),
                ),
                (
                    "worker",
                    models.CharField(blank=True, help_text="Who said that it runs this attempt.", max_length=200),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, help_text="Why it failed.")),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="units",
                        to="annotation.agent",
                    ),
                ),
                (
                    "augmenter",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="units",
                        to="annotation.augmenter",
                    ),
                ),
                (
                    "dialogue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="units", to="annotation.dialogue"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="units", to="annotation.generationrun"
                    ),
                ),
                (
                    "thinks_first",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="followers",
                        to="annotation.generationunit",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="units", to="annotation.languagemodel"
                    ),
                ),
                (
                    "skill_of_mind",
                    models.ForeignKey(
                        blank=True,
                        help_text="What guides it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="annotation.skillofmind",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dialogue_id",
                    models.BigIntegerField(help_text="The comparison's dialogue, so that a claim reads one table."),
                ),
                (
                    "ordinal",
                    models.PositiveIntegerField(help_text="0 to k-1 within the comparison: slots fill breadth first."),
                ),
                (
                    "treatment_side",
                    models.CharField(
                        choices=[(annotation.states.Side["LEFT"], "left"), (annotation.states.Side["RIGHT"], "right")],
                        max_length=5,
                    ),
                ),
                (
                    "rank",
                    models.PositiveIntegerField(
                        help_text="A random place on the ring of its layer, from the study's seed."
                    ),
                ),
                ("is_open", models.BooleanField(default=True)),
                (
                    "comparison",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slots",
                        to="annotation.comparison",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="assignment",
            name="slot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="assignments", to="annotation.slot"
            ),
        ),
        migrations.CreateModel(
            name="Study",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, help_text="Addresses the study in links.", unique=True
                    ),
                ),
                ("name", models.CharField(help_text="For researchers; annotators see the title.", max_length=200)),
                ("title", models.CharField(help_text="What annotators see on every page.", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (annotation.states.StudyState["DRAFT"], "draft"),
                            (annotation.states.StudyState["RUNNING"], "running"),
                            (annotation.states.StudyState["PAUSED"], "paused"),
                            (annotation.states.StudyState["CLOSED"], "closed"),
                        ],
                        default=annotation.states.StudyState["DRAFT"],
                        max_length=10,
                    ),
                ),
                (
                    "dialogues_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Use this many dialogues, drawn evenly over kinds with the seed; empty = all.",
                        null=True,
                    ),
                ),
                (
                    "judgements_per_comparison",
                    models.PositiveIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="judgements per comparison (k)",
                    ),
                ),
                (
                    "quota_per_annotator",
                    models.PositiveIntegerField(
                        default=20,
                        help_text="The most comparisons one person judges.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "annotators_limit",
                    models.PositiveIntegerField(
                        blank=True, help_text="Places in the study; empty = no limit.", null=True
                    ),
                ),
                ("places_taken", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "scale",
                    models.CharField(
                        choices=[
                            ("three", "Left / about the same / right"),
                            ("two", "Left / right, no tie"),
                            ("five", "Five grades"),
                            ("seven", "Seven grades"),
                        ],
                        default="three",
                        max_length=10,
                    ),
                ),
                ("offers_both_bad", models.BooleanField(default=False, help_text='Adds the answer "both are bad".')),
                (
                    "shuffles_criteria",
                    models.BooleanField(default=False, help_text="Order of criteria differs per annotator."),
                ),
                (
                    "reason_from_strength",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Ask for a reason from this strength on; 0 = always optional; empty = never.",
                        null=True,
                    ),
                ),
                (
                    "lease_minutes",
                    models.PositiveIntegerField(
                        default=20,
                        help_text="How long a comparison is kept for a person who is away.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "seconds_per_comparison",
                    models.PositiveIntegerField(default=45, help_text="Your estimate, shown as minutes left."),
                ),
                ("instructions", models.TextField(blank=True, help_text="Shown once before the first comparison.")),
                (
                    "guidelines",
                    models.TextField(blank=True, help_text="One key away at all times. Empty: the instructions."),
                ),
                ("consent_text", models.TextField(blank=True)),
                ("consent_version", models.CharField(default="1", max_length=60)),
                ("contact", models.CharField(blank=True, help_text="Who annotators can ask.", max_length=300)),
                (
                    "payment",
                    models.CharField(blank=True, help_text="Shown before consent, e.g. £2.40.", max_length=100),
                ),
                ("seed", models.PositiveIntegerField(default=1)),
                (
                    "margin",
                    models.FloatField(
                        blank=True,
                        help_text="Equivalence margin of the win score, e.g. 0.05, set beforehand.",
                        null=True,
                    ),
                ),
                ("planned_power", models.JSONField(blank=True, default=dict)),
                ("frozen_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("launched_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("collections", models.ManyToManyField(blank=True, related_name="studies", to="annotation.collection")),
                (
                    "rehearsal_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rehearsals",
                        to="annotation.study",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "studies",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="StoredReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("filters_sha256", models.CharField(max_length=64)),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="Names the judgements and settings it was computed from.", max_length=200
                    ),
                ),
                ("content", models.JSONField(blank=True, null=True)),
                (
                    "reason",
                    models.TextField(blank=True, help_text="Why there is no report: a sentence for researchers."),
                ),
                ("seconds", models.FloatField(default=0, help_text="How long it took.")),
                ("computed_at", models.DateTimeField()),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="annotation.study"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="slot",
            name="study",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="slots", to="annotation.study"
            ),
        ),
        migrations.CreateModel(
            name="ProblemReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assignment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="problem_reports",
                        to="annotation.assignment",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="problem_reports",
                        to="annotation.study",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="matchup",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="matchups", to="annotation.study"
            ),
        ),
        migrations.AddField(
            model_name="generationrun",
            name="study",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs",
                to="annotation.study",
            ),
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(max_length=60)),
                ("detail", models.JSONField(default=dict)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="annotation.study"
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.AddField(
            model_name="criterion",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="criteria", to="annotation.study"
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="comparisons", to="annotation.study"
            ),
        ),
        migrations.AddField(
            model_name="annotator",
            name="study",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="annotators", to="annotation.study"
            ),
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                ("revision", models.CharField(blank=True, max_length=200)),
                ("engine", models.CharField(max_length=60)),
                ("engine_version", models.CharField(max_length=60)),
                ("device", models.CharField(blank=True, max_length=200)),
                ("memory_bytes", models.PositiveBigIntegerField(default=0)),
                ("tokens_per_second", models.FloatField(default=0)),
                ("seen_at", models.DateTimeField()),
                ("is_stopping", models.BooleanField(default=False)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workers",
                        to="annotation.languagemodel",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddConstraint(
            model_name="dialogue",
            constraint=models.UniqueConstraint(
                fields=("collection", "external_id"), name="dialogue_id_once_per_collection"
            ),
        ),
        migrations.AddConstraint(
            model_name="judgement",
            constraint=models.UniqueConstraint(fields=("assignment", "criterion"), name="one_judgement_per_criterion"),
        ),
        migrations.AddConstraint(
            model_name="judgement",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["baseline", "tie", "treatment", "both_bad"])),
                name="outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="runcount",
            constraint=models.UniqueConstraint(fields=("run", "subject", "value"), name="run_count_once"),
        ),
        migrations.AddConstraint(
            model_name="runtally",
            constraint=models.UniqueConstraint(fields=("run", "stage", "model"), name="tally_once"),
        ),
        migrations.AddConstraint(
            model_name="skillofmind",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("dialogue", "settings_hash", "sample"),
                name="one_current_skill_of_mind",
            ),
        ),
        migrations.AddConstraint(
            model_name="response",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("dialogue", "agent", "sample"),
                name="one_current_response",
            ),
        ),
        migrations.AddIndex(
            model_name="generationunit",
            index=models.Index(
                condition=models.Q(("state", annotation.states.UnitState["QUEUED"])),
                fields=["model", "run", "id"],
                name="unit_queued",
            ),
        ),
        migrations.AddIndex(
            model_name="generationunit",
            index=models.Index(
                condition=models.Q(("state", annotation.states.UnitState["SENT"])),
                fields=["lease_until"],
                name="unit_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="generationunit",
            index=models.Index(condition=models.Q(("token__isnull", False)), fields=["token"], name="unit_of_token"),
        ),
        migrations.AddIndex(
            model_name="generationunit",
            index=models.Index(
                condition=models.Q(("state", annotation.states.UnitState["FAILED"])), fields=["run"], name="unit_failed"
            ),
        ),
        migrations.AddIndex(
            model_name="generationunit",
            index=models.Index(
                condition=models.Q(("state", annotation.states.UnitState["SENT"])),
                fields=["model", "batch"],
                name="unit_in_batch",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationunit",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("stage", "think"),
                    (
                        "state__in",
                        [
                            annotation.states.UnitState["WAITING"],
                            annotation.states.UnitState["QUEUED"],
                            annotation.states.UnitState["SENT"],
                        ],
                    ),
                ),
                fields=("dialogue", "settings_hash", "sample"),
                name="one_open_think_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="generationunit",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("stage", "respond"),
                    (
                        "state__in",
                        [
                            annotation.states.UnitState["WAITING"],
                            annotation.states.UnitState["QUEUED"],
                            annotation.states.UnitState["SENT"],
                        ],
                    ),
                ),
                fields=("dialogue", "agent", "sample"),
                name="one_open_respond_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", annotation.states.AssignmentState["CLAIMED"])),
                fields=("annotator",),
                name="one_open_assignment_per_annotator",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [annotation.states.AssignmentState["CLAIMED"], annotation.states.AssignmentState["SUBMITTED"]],
                    )
                ),
                fields=("slot",),
                name="one_live_assignment_per_slot",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            annotation.states.AssignmentState["CLAIMED"],
                            annotation.states.AssignmentState["SUBMITTED"],
                            annotation.states.AssignmentState["SURPLUS"],
                            annotation.states.AssignmentState["RELEASED"],
                        ],
                    )
                ),
                fields=("annotator", "comparison"),
                name="one_judgement_per_person_and_comparison",
            ),
        ),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("annotators_limit", None), ("places_taken__lte", models.F("annotators_limit")), _connector="OR"
                ),
                name="annotators_within_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="storedreport",
            constraint=models.UniqueConstraint(fields=("study", "filters_sha256"), name="one_report_per_filters"),
        ),
        migrations.AddIndex(
            model_name="slot",
            index=models.Index(
                condition=models.Q(("is_open", True)),
                fields=["study", "treatment_side", "ordinal", "rank"],
                name="slot_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.UniqueConstraint(fields=("comparison", "ordinal"), name="slot_once_per_comparison"),
        ),
        migrations.AddConstraint(
            model_name="matchup",
            constraint=models.UniqueConstraint(
                fields=("study", "baseline", "treatment"), name="matchup_once_per_study"
            ),
        ),
        migrations.AddConstraint(
            model_name="matchup",
            constraint=models.CheckConstraint(
                condition=models.Q(("baseline", models.F("treatment")), _negated=True),
                name="matchup_of_two_agents",
                violation_error_message="An agent that meets itself compares nothing: choose two agents.",
            ),
        ),
        migrations.AddConstraint(
            model_name="criterion",
            constraint=models.UniqueConstraint(fields=("study", "key"), name="criterion_key_once_per_study"),
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", annotation.states.ComparisonKind["MAIN"])),
                fields=("matchup", "dialogue"),
                name="main_comparison_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="annotator",
            constraint=models.UniqueConstraint(fields=("study", "pseudonym"), name="pseudonym_once_per_study"),
        ),
        migrations.AddConstraint(
            model_name="annotator",
            constraint=models.UniqueConstraint(
                condition=models.Q(("platform_hash", ""), _negated=True),
                fields=("study", "platform_hash"),
                name="one_person_once_per_study",
            ),
        ),
    ]
