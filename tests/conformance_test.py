"""The conformance table's generator, on small inputs."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))
import conformance  # noqa: E402

CMOCKA = """<?xml version="1.0" encoding="UTF-8" ?>
<testsuites><testsuite name="sas" tests="2">
  <testcase name="P001_vectors_pass" time="0.000" ></testcase>
  <testcase name="P002_P003_forms" ><failure><![CDATA[row 3]]></failure></testcase>
</testsuite></testsuites>"""
PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest">
  <testcase classname="wire" name="test_P001_on_the_wire[raw]" />
  <testcase classname="wire" name="test_ecdsa_P256" />
</testsuite></testsuites>"""
ROWS = [
    {"id": "P001", "statement": "vectors | pass", "scope": "now"},
    {"id": "P003", "statement": "forms", "scope": "now"},
    {"id": "P004", "statement": "missing", "scope": "now"},
    {"id": "P005", "statement": "another day", "scope": "later: AMQP"},
]


class Conformance(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "unit.xml").write_text(CMOCKA)
            pathlib.Path(folder, "wire.xml").write_text(PYTEST)
            self.results = conformance.read_results(folder)

    def test_names_hold_one_or_several_numbers(self):
        self.assertEqual(conformance.ids_of("P001_x"), ["P001"])
        self.assertEqual(conformance.ids_of("test_H072_H074_x"), ["H072", "H074"])
        self.assertEqual(conformance.ids_of("test_ecdsa_P256"), [])

    def test_results_of_both_runners_count(self):
        self.assertEqual(
            self.results["P001"], {"P001_vectors_pass": "pass", "test_P001_on_the_wire": "pass"}
        )
        self.assertEqual(self.results["P003"], {"P002_P003_forms": "fail"})

    def test_a_statement_without_test_and_a_test_without_statement_are_faults(self):
        found = list(conformance.faults(ROWS, self.results))
        self.assertEqual([fault.split()[0] for fault in found], ["P004", "P002"])

    def test_the_table_says_what_was_found(self):
        table = conformance.write_table(ROWS, self.results)
        self.assertIn("| vectors \\| pass | `P001_on_the_wire`<br>`P001_vectors_pass` | pass |", table)
        self.assertIn("| P003 | forms | `P002_P003_forms` | **fail** |", table)
        self.assertIn("| P004 | missing |  | **no test** |", table)
        self.assertIn("| P005 | another day |  | later: AMQP |", table)


if __name__ == "__main__":
    unittest.main()
