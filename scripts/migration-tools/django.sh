# Django: `manage.py migrate`, and its test runner.
# shellcheck shell=sh source=scripts/migration-tools/postgres.sh
. "$WORDS"

project() {
    django-admin startproject shop .
    mkdir -p billing/migrations
    touch billing/__init__.py billing/migrations/__init__.py
    cat >>shop/settings.py <<'PY'
import dj_database_url
DATABASES = {"default": dj_database_url.config()}
INSTALLED_APPS.append("billing")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PY
    chmod 755 manage.py
    migration 0001_first <<'PY'
        migrations.CreateModel("Customer", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())], {"db_table": "customer"}),
        migrations.CreateModel("Invoice", [("id", models.BigAutoField(primary_key=True)), ("cents", models.BigIntegerField()),
            ("customer", models.ForeignKey("Customer", models.PROTECT))], {"db_table": "invoice"}),
        migrations.RunPython(fill),
PY
    LAST=0001_first
}
# migration NAME: with the operations on stdin, after the last one.
migration() {
    {
        cat <<'PY'
from django.db import migrations, models
def fill(apps, schema_editor):
    Customer, Invoice = apps.get_model("billing", "Customer"), apps.get_model("billing", "Invoice")
    Customer.objects.bulk_create([Customer(id=i, name=f"customer {i}") for i in range(1, 101)])
    Invoice.objects.bulk_create([Invoice(id=i, cents=i * 7, customer_id=1 + i % 100) for i in range(1, 1001)])
def rate(apps, schema_editor):
    apps.get_model("billing", "Customer").objects.update(rating=3)
def lose(apps, schema_editor):
    apps.get_model("billing", "Invoice").objects.filter(id__gt=990).delete()
def stumble(apps, schema_editor):
    apps.get_model("billing", "Customer").objects.create(id=1, name="again")
class Migration(migrations.Migration):
    # Each step by itself, so that a failure leaves half of them done.
    atomic = False
PY
        echo "    dependencies = [${LAST:+(\"billing\", \"$LAST\")}]"
        echo '    operations = ['
        cat
        echo '    ]'
    } >"billing/migrations/$1.py"
    BEFORE=${LAST:-} LAST=$1
}
good() {
    migration 0002_rating <<'END'
migrations.AddField("Customer", "rating", models.IntegerField(null=True)), migrations.RunPython(rate),
END
}
failing() {
    migration 0003_failing <<'END'
migrations.RunPython(lose), migrations.RemoveField("Customer", "rating"), migrations.RunPython(stumble),
END
}
lossy() {
    migration 0003_lossy <<'END'
migrations.RunPython(lose),
END
}
forget() {
    rm "billing/migrations/$LAST.py"
    LAST=$BEFORE
}
play 1 ./manage.py migrate --no-color

echo "-- Django's own test runner"
cat >billing/tests.py <<'PY'
import os
from django.db import connection
from django.test import TestCase
class Shop(TestCase):
    def test_it_starts_empty(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM customer WHERE rating IS NULL")
            self.assertEqual(cursor.fetchone()[0], 0)
    def test_nothing_leads_to_the_real_database(self):
        # A variable that names it would lead to the clone by now.
        self.assertNotIn(open("real-place").read().strip(), os.environ["DATABASE_URL"])
PY
real_place >real-place
now
shows 0 safe-db-test -v -e dev -- ./manage.py test --no-color
has 'OK'
has 'exactly as it was'
# One that works on the rows there are, and leaves none of them.
cat >purge.py <<'PY'
import django
django.setup()
from django.apps import apps
for name in ("Invoice", "Customer"):
    apps.get_model("billing", name).objects.all().delete()
PY
cat >billing/models.py <<'PY'
from django.db import models
class Customer(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    rating = models.IntegerField(null=True)
    class Meta:
        db_table = "customer"
class Invoice(models.Model):
    id = models.BigAutoField(primary_key=True)
    cents = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.PROTECT)
    class Meta:
        db_table = "invoice"
PY
DJANGO_SETTINGS_MODULE=shop.settings
PYTHONPATH=$PWD
export DJANGO_SETTINGS_MODULE PYTHONPATH
shows 0 safe-db-test -v -e dev -- python purge.py
has 'exactly as it was'
same "tests have emptied the clone"
# And one whose settings have the real place written into them.
echo "DATABASES = {'default': dj_database_url.parse('$DATABASE_URL')}" >>shop/settings.py
shows 122 safe-db-test -e dev --on-leak restore -- python purge.py
has 'table'
same "a leak was undone"
