#include "apps/troupe/inputs.hpp"

#include "runtime/base/log.hpp"
#include "runtime/json/json.hpp"

#include <filesystem>

namespace troupe::app {

void add_input_options(CLI::App& app, InputOptions& options) {
  app.add_option("--input", options.input, "A Slack export: folder or ZIP")->required();
  app.add_option("--set", options.set,
                 "KEY=VALUE, repeatable: from=DATE, to=DATE (inclusive, UTC), channels=a,b, user=NAME; "
                 "without dates: the newest day that has messages")
      ->take_all();
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
    if (equals == std::string::npos || equals == 0)
      return fail(Errc::invalid_input, "--set wants KEY=VALUE, not " + pair);
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
