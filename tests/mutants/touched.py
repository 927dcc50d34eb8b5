"""A plugin of pytest that notes which test runs which line, as JSON: `pytest -p tests.mutants.touched --touched FILE`.

`tests` has what each test that passed took, in seconds of processor; `lines` has, for each file and line, the places
in `tests` of those that ran it.
"""

import json
import time
from pathlib import Path

import coverage
import pytest

WATCHED = "node"


def pytest_addoption(parser):
    parser.addoption("--touched", help="where to write which test runs which line")


class Watcher:
    def __init__(self, file):
        self._file = Path(file)
        self._took, self._failed = {}, set()
        self._coverage = coverage.Coverage(data_file=None, source=[WATCHED], branch=False, config_file=False)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self._coverage.switch_context(item.nodeid)
        started = time.process_time()
        try:
            return (yield)
        finally:
            self._took[item.nodeid] = round(time.process_time() - started, 3)
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report):
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self):
        self._coverage.stop()
        data = self._coverage.get_data()
        passed = [test for test in self._took if test not in self._failed]
        place = {test: number for number, test in enumerate(passed)}
        lines = {str(Path(file).relative_to(Path.cwd())): {
            line: sorted(place[test] for test in tests if test in place)
            for line, tests in data.contexts_by_lineno(file).items()} for file in sorted(data.measured_files())}
        self._file.write_text(json.dumps({"tests": [[test, self._took[test]] for test in passed], "lines": lines}))


def pytest_configure(config):
    if config.option.touched:
        config.pluginmanager.register(Watcher(config.option.touched))
