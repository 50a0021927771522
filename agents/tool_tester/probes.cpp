// Reading and dividing tasks.
#include "agents/tool_tester/probes.hpp"

#include "agents/research/settings.hpp"
#include "agents/research/words.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace troupe::tool_tester {
namespace {

constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kProbeFileBytesMax = 2u << 20;

Result<void> check_probe(const Probe& probe, const std::vector<Probe>& before) {
  if (probe.id.empty() || probe.task.empty() || probe.tool.empty())
    return fail(Errc::invalid_input, "expected {\"id\", \"task\", \"tool\", \"expect\"?}");
  if (probe.task.size() > kTaskBytes)
    return fail(Errc::invalid_input, fmt::format("a task has at most {} bytes", kTaskBytes));
  if (before.size() == kProbesMax)
    return fail(Errc::invalid_input, fmt::format("at most {} tasks", kProbesMax));
  if (std::ranges::find(before, probe.id, &Probe::id) != before.end())
    return fail(Errc::invalid_input, "the id is there twice");
  return {};
}

Result<Probe> read_probe(std::string_view line, const std::vector<Probe>& before) {
  auto json = parse_json(line);
  if (!json) return std::unexpected(json.error());
  Probe out;
  out.id = research::one_line(get_string(*json, "id"), kNameBytes);
  out.task = to_valid_utf8(research::one_line(get_string(*json, "task"), kTaskBytes + text::kOverBound));
  out.tool = get_string(*json, "tool");
  out.expect = get_string(*json, "expect");
  if (auto good = check_probe(out, before); !good) return std::unexpected(good.error());
  return out;
}

}  // namespace

Result<ToolTestInput> read_tool_test_input(const JsonText& input) {
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  ToolTestInput out;
  out.given = input;
  out.probes_path = get_string(*json, "input");
  out.tool = get_string(*json, "tool");
  if (out.tool.empty()) return fail(Errc::invalid_input, "tool: name the tool to test");
  research::Settings settings(*json);
  settings.text("feature", out.feature);
  settings.text("tenant", out.tenant);
  settings.number("repeats", out.repeats, {1, 5});
  settings.number("turns_max", out.turns_max, {1, 12});
  std::string without;
  settings.text("without", without);
  if (!without.empty() && without != "gate") settings.wrong("without", "gate");
  out.gate = without.empty();
  if (settings.problem()) return std::unexpected(*settings.problem());
  return out;
}

Result<JsonText> read_probe_file(const std::string& path) {
  auto text = read_bounded(path, kProbeFileBytesMax);
  if (!text)
    return fail(text.error().code,
                "--input: a file of tasks is needed, one JSON object a line: " + text.error().what);
  return JsonText{dump_json(Json(to_valid_utf8(*text)))};
}

Result<std::vector<Probe>> read_probes(std::string_view lines) {
  std::vector<Probe> out;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    auto line = take_line(lines);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto probe = read_probe(line, out);
    if (!probe)
      return fail(Errc::invalid_input, fmt::format("tasks, line {}: {}", number, probe.error().what));
    out.push_back(std::move(*probe));
  }
  return out;
}

Division divide(std::vector<Probe> probes) {
  std::ranges::sort(probes, [](const Probe& a, const Probe& b) {
    auto left = stable_hash(a.id), right = stable_hash(b.id);
    return left != right ? left < right : a.id < b.id;
  });
  std::map<std::string, std::size_t> count;
  Division out;
  for (auto& probe : probes) {
    bool practice = count[probe.tool]++ % 2 == 0;
    (practice ? out.practice : out.held_out).push_back(std::move(probe));
  }
  return out;
}

}  // namespace troupe::tool_tester
