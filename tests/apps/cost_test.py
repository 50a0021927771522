"""Money as the command line shows it: groupings that agree, reserved hours, FOCUS, bills, budgets, plans."""
import csv
import io
from decimal import Decimal

from troupe_process import BAD_INPUT, DONE, INPUT_MISSING, ROOT, SAMPLE, ProcessTest, main

NANO = Decimal("0.000000001")


class Cost(ProcessTest):
    def setUp(self):
        super().setUp()
        ended = self.run_troupe("run", "recap", "--input", SAMPLE, "--out", "out", "--json", "--quiet")
        self.assert_status(ended, DONE)
        # The same clouds, with units bought for the reserved endpoint and a budget.
        text = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
        text = text.replace("      kind: reserved\n",
                            "      kind: reserved\n      reserved: {units: 2, usd_per_hour: 21.37, kept: [{feature: recap, units: 1}]}\n")
        text = text.replace("deadline: 10m,", "deadline: 10m, budget: {usd_per_day: 0.001},")
        (self.folder / "bought.yaml").write_text(text, encoding="utf-8")
        self.bought = ("--config", self.folder / "bought.yaml")

    def sums(self, *arguments):
        ended = self.run_troupe("cost", "--json", *arguments)
        self.assert_status(ended, DONE)
        return ended.json()

    def test_every_grouping_has_the_same_sum(self):
        keys = ("feature", "tenant", "model", "endpoint", "cause", "run")
        self.assertEqual(len({sum(row["nano_usd"] for row in self.sums("--by", by)) for by in keys}), 1)
        now = self.sums("--by", "feature", *self.bought)
        self.assertIn("(idle)", {row["key"] for row in now})
        causes = {row["key"] for row in self.sums("--by", "cause", *self.bought)}
        self.assertLessEqual({"primary", "reserved_headroom", "reserved_idle"}, causes)

    def test_focus_is_valid_and_sums_to_the_ledger(self):
        ended = self.run_troupe("cost", "--format", "focus")
        self.assert_status(ended, DONE)
        rows = list(csv.DictReader(io.StringIO(ended.out), strict=True))
        ledger = sum(row["nano_usd"] for row in self.sums())
        self.assertEqual(sum(Decimal(row["BilledCost"]) for row in rows), ledger * NANO)
        self.assertEqual({row["ChargeCategory"] for row in rows}, {"Usage"})
        self.assertIn("AWS", {row["ProviderName"] for row in rows})
        bought = self.run_troupe("cost", "--format", "focus", *self.bought)
        rows = list(csv.DictReader(io.StringIO(bought.out), strict=True))
        self.assertIn("Purchase", {row["ChargeCategory"] for row in rows})
        self.assertEqual(sum(Decimal(row["BilledCost"]) for row in rows),
                         sum(Decimal(row["EffectiveCost"]) for row in rows))

    def test_a_table_adds_up(self):
        lines = self.run_troupe("cost", "--by", "endpoint").out.splitlines()
        figures = [Decimal(line.split()[-1]) for line in lines[1:]]
        self.assertEqual(sum(figures[:-1]), figures[-1])

    def test_a_bill_is_reconciled_and_the_rest_is_shown(self):
        rows = csv.DictReader(io.StringIO(self.run_troupe("cost", "--format", "focus").out))
        bill = ["day,provider,sku,cost,currency"]
        for row in rows:
            bill.append(f'{row["ChargePeriodStart"]},{row["ProviderName"]},{row["SkuId"]},{row["BilledCost"]},USD')
        day = bill[1][:10]
        bill.append(f"{day},AWS,someone-else,3.21,USD")
        (self.folder / "bill.csv").write_text("\n".join(bill) + "\n", encoding="utf-8")
        found = self.run_troupe("cost", "reconcile", "--bill", "bill.csv", "--settle-days", "0", "--json").json()
        self.assertAlmostEqual(found["residual_usd"], 3.21, places=4)
        agrees = {each["provider"]: each["agrees"] for each in found["providers"]}
        self.assertFalse(agrees["AWS"])
        self.assertTrue(agrees.get("OpenAI", True))
        table = self.run_troupe("cost", "reconcile", "--bill", "bill.csv", "--settle-days", "0")
        self.assertIn("someone-else", table.out)

    def test_a_wrong_bill_is_refused_by_its_line(self):
        (self.folder / "bill.csv").write_text("day,provider,cost\n2026-02-30,AWS,1\n", encoding="utf-8")
        self.assert_refused(self.run_troupe("cost", "reconcile", "--bill", "bill.csv"), BAD_INPUT, "line 2")
        self.assert_refused(self.run_troupe("cost", "reconcile", "--bill", "none.csv"), INPUT_MISSING, "none.csv")

    def test_budgets_and_plans_are_told(self):
        budgets = self.run_troupe("cost", "budgets", "--json", *self.bought).json()
        self.assertEqual(budgets[0]["budget"], "feature recap")
        self.assertIn(budgets[0]["level"], {"fine", "warned", "degraded", "stopped"})
        self.assert_status(self.run_troupe("cost", "budgets", *self.bought), DONE)
        self.assert_refused(self.run_troupe("cost", "plan", "bedrock-east", *self.bought), BAD_INPUT, "bedrock-east")


if __name__ == "__main__":
    main()
