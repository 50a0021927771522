#include "apps/troupe/inputs.hpp"

#include "runtime/base/log.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace troupe::app {

namespace {

// What a recap reads of its input; a misspelt key must not look obeyed.
constexpr std::array kSettings = {"from",   "to",           "channels",         "user",      "users",
                                  "tenant", "parallel_max", "chunk_tokens_max", "deadline_s"};

std::string check_setting(const std::string& pair) {
  auto equals = pair.find('=');
  if (equals == std::string::npos || equals == 0) return "--set wants KEY=VALUE, not " + pair;
  auto key = pair.substr(0, equals);
  if (std::ranges::find(kSettings, key) != kSettings.end()) return {};
  return fmt::format("--set {}: there is no setting {}; there are {}", pair, key, fmt::join(kSettings, ", "));
}

}  // namespace

void add_input_options(CLI::App& app, InputOptions& options) {
  app.add_option("--input", options.input, "A Slack export: folder or ZIP")->required();
  app.add_option("--set", options.set,
                 "KEY=VALUE, repeatable: from=DATE, to=DATE (inclusive, UTC), channels=a,b, user=NAME; "
                 "without dates: the newest day that has messages")
      ->take_all()
      ->check(check_setting);
}

Result<JsonText> workflow_input(const InputOptions& options) {
  std::error_code error;
  auto path = std::filesystem::absolute(options.input, error);
  if (error || !std::filesystem::exists(path, error))
    return fail(Errc::input_missing,
                options.input + " is not there; --input wants a Slack export, folder or ZIP");
  Json input;
  input["input"] = path.lexically_normal().string();
  for (const auto& pair : options.set) {
    auto equals = pair.find('=');
    input[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return JsonText{dump_json(input)};
}

void log_to_stderr(const std::string& level) {
  for (auto each : {log::Level::debug, log::Level::info, log::Level::warn, log::Level::error}) {
    constexpr const char* names[] = {"debug", "info", "warn", "error"};
    if (level == names[static_cast<int>(each)]) log::to_stderr(each);
  }
}

}  // namespace troupe::app
