// A node's configuration, read and validated. What may stand in a file: configs/reference.yaml.
#pragma once

#include <troupe/error.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace troupe {

namespace config {
struct Config;
}

/// An immutable value; cheap to copy.
class Config {
 public:
  /// input_missing, or bad_config whose `what` names file, line and key of everything that is wrong.
  static Result<Config> load(const std::string& path);
  static Result<Config> parse(std::string_view yaml, const std::string& name = "config");
  /// The simulated demo clouds: nothing to install, no key, no network beyond loopback.
  static Config demo();

  /// The same with its state (journal, ledger) kept in another folder.
  Config with_state_dir(std::string folder) const;
  /// The same under another node id and region; empty keeps what is there.
  Config with_node(std::string id, std::string region) const;

  const config::Config& values() const { return *values_; }
  explicit Config(config::Config values);

 private:
  std::shared_ptr<const config::Config> values_;
};

}  // namespace troupe
