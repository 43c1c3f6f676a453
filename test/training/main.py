"""Runs every test beside this file; the last line is 'N passed, N failed'."""
import os
import sys
import unittest


class Counted(unittest.TextTestResult):
    """Names every test with its outcome, and counts."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        Counted.passed += 1


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else "test_*.py"
    suite = unittest.TestLoader().discover(os.path.dirname(os.path.abspath(__file__)), pattern)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counted).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    if result.skipped:
        print(f"{len(result.skipped)} skipped")
    print(f"{Counted.passed} passed, {failed} failed")
    return 1 if failed or Counted.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
