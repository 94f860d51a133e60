"""The database refuses to change or delete rows of the audit trail. See tenants/wall.py."""

from django.db import migrations

SAID = "Rows of the audit trail are neither changed nor deleted."

POSTGRES = [
    f"""
    CREATE FUNCTION tributary_audit_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('tributary.audit_may_go', true) = 'yes' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION '{SAID}' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE ON tenants_auditevent
    FOR EACH ROW EXECUTE FUNCTION tributary_audit_stands()
    """,
]
POSTGRES_BACK = [
    "DROP TRIGGER audit_stands ON tenants_auditevent",
    "DROP FUNCTION tributary_audit_stands",
]
SQLITE = [
    f"""
    CREATE TRIGGER audit_not_changed BEFORE UPDATE ON tenants_auditevent
    BEGIN SELECT RAISE(ABORT, '{SAID}'); END
    """,
    f"""
    CREATE TRIGGER audit_not_deleted BEFORE DELETE ON tenants_auditevent
    WHEN NOT tributary_audit_may_go()
    BEGIN SELECT RAISE(ABORT, '{SAID}'); END
    """,
]
SQLITE_BACK = ["DROP TRIGGER audit_not_changed", "DROP TRIGGER audit_not_deleted"]


def build(apps, schema_editor):
    _run(schema_editor, POSTGRES, SQLITE)


def tear_down(apps, schema_editor):
    _run(schema_editor, POSTGRES_BACK, SQLITE_BACK)


def _run(schema_editor, postgres, sqlite):
    statements = {"postgresql": postgres, "sqlite": sqlite}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_idempotent_calls")]

    operations = [migrations.RunPython(build, tear_down)]
