"""Each rule of tools/tidy.py, shown red on a planted bad file, and green on a tree that keeps them all."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools")
sys.path.insert(0, TOOLS)
import cpp_shape  # noqa: E402
import tidy  # noqa: E402

HEADER = "// Knows one thing.\n#pragma once\n"
SOURCE = "// Knows one thing.\n"


class Tree(unittest.TestCase):
    """A tree with our layers and whatever a test plants."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = self._folder.name
        with open(os.path.join(TOOLS, "layers.txt"), encoding="utf-8") as file:
            self.plant("tools/layers.txt", file.read())

    def tearDown(self):
        self._folder.cleanup()

    def plant(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def breaches(self):
        return [f"{path}:{line}: {sentence}" for path, line, sentence in tidy.inspect(self.root)[0]]

    def assert_red(self, path, text, sentence):
        self.plant(path, text)
        found = self.breaches()
        self.assertTrue(any(each.startswith(path) and sentence in each for each in found),
                        f"wanted {sentence!r}, found {found}")

    def assert_green(self, path, text):
        self.plant(path, text)
        self.assertEqual(self.breaches(), [])


class IncludeTest(Tree):
    def test_what_the_layers_allow_is_green(self):
        self.assert_green("include/troupe/door.hpp", HEADER + "#include <troupe/time.hpp>\n#include <vector>\n")
        self.assert_green("runtime/journal/row.hpp", HEADER + '#include "runtime/base/clock.hpp"\n#include <sqlite3.h>\n')
        self.assert_green("actors/run.hpp", HEADER + '#include "agents/recap/recap.hpp"\n#include <caf/send.hpp>\n')
        self.assert_green("tests/actors/run_test.cpp", SOURCE + '#include "actors/run.hpp"\n#include <gtest/gtest.h>\n'
                          "TEST(Run, Runs) { EXPECT_TRUE(true); }\n")

    def test_nobody_includes_upward(self):
        self.assert_red("runtime/base/clock.hpp", HEADER + '#include "actors/run.hpp"\n', "may not include actors/run.hpp")
        self.assert_red("agents/recap/ask.cpp", SOURCE + '#include "actors/run.hpp"\n', "may not include")
        self.assert_red("runtime/policy/route.hpp", HEADER + '#include "runtime/config/config.hpp"\n', "may not include")

    def test_agents_and_providers_never_meet(self):
        self.assert_red("agents/recap/ask.cpp", SOURCE + '#include "providers/dialect.hpp"\n', "may not include")
        self.assert_red("providers/dialect.cpp", SOURCE + '#include "agents/recap/ask.hpp"\n', "may not include")

    def test_dialects_have_no_sockets(self):
        self.assert_green("providers/openai/errors.hpp", HEADER + '#include "runtime/http/message.hpp"\n')
        self.assert_red("providers/openai/decode.cpp", SOURCE + '#include "runtime/http/client.hpp"\n', "may not include")

    def test_the_door_shows_only_itself(self):
        self.assert_red("include/troupe/node.hpp", HEADER + '#include "runtime/base/clock.hpp"\n', "may not include")
        self.assert_red("include/troupe/node.hpp", HEADER + "#include <fmt/format.h>\n", "fmt has no home")

    def test_examples_see_only_the_door(self):
        self.assert_green("examples/first.cpp", SOURCE + "#include <troupe/node.hpp>\n")
        self.assert_red("examples/first.cpp", SOURCE + '#include "runtime/json/json.hpp"\n', "may not include")

    def test_a_library_has_one_home(self):
        for header in ("caf/send.hpp", "boost/asio.hpp", "zmq.h", "sqlite3.h", "yaml-cpp/yaml.h", "zip.h", "CLI/CLI.hpp",
                       "msgpack/pack.hpp", "openssl/evp.h", "zlib.h", "nlohmann/json.hpp", "spdlog/spdlog.h"):
            self.assert_red("agents/recap/ask.cpp", SOURCE + f"#include <{header}>\n", "has no home in this file")

    def test_a_home_may_be_one_file(self):
        self.assert_green("runtime/json/json.hpp", HEADER + "#include <nlohmann/json.hpp>\n")
        self.assert_red("runtime/json/other.hpp", HEADER + "#include <nlohmann/json.hpp>\n", "nlohmann has no home")
        self.assert_red("runtime/base/rng.cpp", SOURCE + "#include <spdlog/spdlog.h>\n", "spdlog has no home")

    def test_an_unknown_library_needs_a_line(self):
        self.assert_red("runtime/base/rng.cpp", SOURCE + "#include <absl/random.h>\n", "belongs to no library")

    def test_paths_start_at_the_root(self):
        self.assert_red("runtime/base/rng.cpp", SOURCE + '#include "rng.hpp"\n', "paths start at the root")

    def test_a_new_folder_needs_a_line(self):
        self.assert_red("runtime/novel/thing.hpp", HEADER, "not in tools/layers.txt")


class FormTest(Tree):
    def test_time_is_given_not_taken(self):
        takes = SOURCE + "auto f() {\n  return std::chrono::steady_clock::now();\n}\n"
        self.assert_red("runtime/policy/route.cpp", takes, "takes its own time")
        self.assert_red("actors/run.cpp", SOURCE + "auto f() { return system_clock::now(); }\n", "takes its own time")
        self.assert_red("tests/base/a_test.cpp", SOURCE + "void f() { std::this_thread::sleep_for(1s); EXPECT_TRUE(1); }\n",
                        "takes its own time")

    def test_the_clock_may_read_the_clock(self):
        self.assert_green("runtime/base/clock.cpp", SOURCE + "auto f() { return std::chrono::steady_clock::now(); }\n")

    def test_words_in_comments_and_strings_are_no_calls(self):
        self.assert_green("runtime/base/rng.cpp", SOURCE + '// sleep_for(1)\nauto f() { return "steady_clock::now()"; }\n')

    def test_a_file_says_what_it_knows(self):
        self.assert_red("runtime/base/rng.hpp", "#pragma once\n", "begins without a sentence")
        self.assert_red("runtime/base/lone.cpp", "int x = 1;\n", "begins without a sentence")

    def test_a_source_is_introduced_by_its_header(self):
        self.plant("runtime/base/rng.hpp", HEADER)
        self.assert_green("runtime/base/rng.cpp", '#include "runtime/base/rng.hpp"\n')

    def test_headers_are_included_once(self):
        self.assert_red("runtime/base/rng.hpp", SOURCE, "no #pragma once")

    def test_no_namespace_is_opened_for_a_whole_file(self):
        self.assert_red("runtime/base/rng.cpp", SOURCE + "using namespace std;\n", "using namespace")
        self.assert_green("runtime/base/rng.cpp", SOURCE + "using namespace std::chrono_literals;\n")

    def test_a_test_asserts(self):
        self.assert_red("tests/base/rng_test.cpp", SOURCE + "TEST(Rng, Does) { rng(); }\n", "without an assertion")

    def test_nothing_is_left_for_later(self):
        self.assert_red("docs/PAGE.md", "TO" + "DO: write\n", "unfinished work")
        self.assert_red("runtime/base/rng.cpp", SOURCE + "// FIX" + "ME\n", "unfinished work")

    def test_no_file_names_one_machine(self):
        for path in ("/ro" + "ot/x", "/wo" + "rk/main", "/tmp/st" + "udio/x"):
            self.assert_red("docs/PAGE.md", f"see {path}\n", "path of one machine")
        self.assert_green("docs/PAGE.md", "see ../wo" + "rk/x and https://example.org/ro" + "ot/x\n")


class SizeTest(Tree):
    def test_lines_files_and_functions_have_limits(self):
        self.assert_red("runtime/base/wide.cpp", SOURCE + "// " + "x" * 108 + "\n", "111 columns wide")
        self.assert_red("runtime/base/long.cpp", SOURCE + "int x;\n" * 400, "has 401 lines")
        self.assert_red("runtime/base/deep.cpp", SOURCE + "void f() {\n" + "  g();\n" * 69 + "}\n", "f has 71 lines")

    def test_limits_themselves_are_allowed(self):
        self.assert_green("runtime/base/wide.cpp", SOURCE + "// " + "x" * 107 + "\n")
        self.assert_green("runtime/base/long.cpp", SOURCE + "int x;\n" * 399)
        self.assert_green("runtime/base/deep.cpp", SOURCE + "void f() {\n" + "  g();\n" * 68 + "}\n")

    def test_the_ratchet_holds_each_figure(self):
        self.plant("runtime/base/a.cpp", SOURCE + "void f() {\n" + "  g();\n" * 28 + "}\n")
        today = tidy.inspect(self.root)[1]
        self.assertEqual(today["code.functions_over_25_permille"], 1000)
        self.assertEqual(today["code.function_lines_max"], 30)
        self.assertEqual(list(tidy.check_ratchet("r", today, today)), [])
        for name in today:
            worse = dict(today, **{name: today[name] + 1})
            self.assertEqual(len(list(tidy.check_ratchet("r", today, worse))), 1, name)

    def test_tightening_never_loosens(self):
        self.plant("runtime/base/a.cpp", SOURCE + "void f() {\n" + "  g();\n" * 28 + "}\n")
        self.plant("tools/size_ratchet.txt", "code.function_lines_max 10\ncode.functions_over_25_permille 1500\n")
        self.assertEqual(tidy.main(["--tighten", self.root]), 1)
        kept = tidy.read_ratchet(tidy.read_text(self.root, "tools/size_ratchet.txt"))
        self.assertEqual((kept["code.function_lines_max"], kept["code.functions_over_25_permille"]), (10, 1000))


class ShapeTest(unittest.TestCase):
    def lengths(self, text):
        return {name: length for name, _, length in cpp_shape.functions(cpp_shape.code_only(text))}

    def test_functions_are_found_wherever_they_stand(self):
        text = ("namespace a {\nstruct S {\n  S(int x)\n      : x_{x}, y_(x) {\n  }\n  int get() const { return x_; }\n"
                "  int x_ = 0, y_{1};\n};\nconst std::vector<int> table = {\n  1,\n};\n"
                "auto f(std::vector<int> v = {}) -> int {\n  auto g = [] {\n    return 1;\n  };\n  return g();\n}\n}\n")
        self.assertEqual(self.lengths(text), {"S": 3, "get": 1, "f": 6})

    def test_braces_in_literals_and_comments_do_not_count(self):
        text = 'void f() {\n  // }\n  auto s = "}";\n  auto c = \'}\';\n  auto r = R"x(}}\n)x";\n}\nvoid g() {}\n'
        self.assertEqual(self.lengths(text), {"f": 7, "g": 1})

    def test_digit_separators_are_not_characters(self):
        self.assertEqual(self.lengths("int f() {\n  return 1'000 + 2'000;\n}\n"), {"f": 3})


if __name__ == "__main__":
    unittest.main()
