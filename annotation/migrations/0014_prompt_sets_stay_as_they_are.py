"""A prompt set is made once: whatever changes its words or where they came from is refused by the database itself."""

from django.db import migrations

_FORWARD = """
CREATE FUNCTION annotation_promptset_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A prompt set is never changed: make a new one.';
END $$;
CREATE TRIGGER annotation_promptset_stays BEFORE UPDATE ON annotation_promptset FOR EACH ROW
WHEN ((OLD.templates, OLD.sha256, OLD.source, OLD.is_published)
    IS DISTINCT FROM (NEW.templates, NEW.sha256, NEW.source, NEW.is_published))
EXECUTE FUNCTION annotation_promptset_stays();
"""
_BACK = """
DROP TRIGGER annotation_promptset_stays ON annotation_promptset;
DROP FUNCTION annotation_promptset_stays();
"""


class Migration(migrations.Migration):
    """Guard the words of prompt sets."""

    dependencies = [("annotation", "0013_units_of_a_run_in_order")]
    operations = [migrations.RunSQL(_FORWARD, _BACK)]
