// Every option of a configuration as text by its path, for comparing two of them.
#pragma once

#include "runtime/config/config.hpp"

#include <map>
#include <string>

namespace troupe::config {

struct OptionText {
  std::string text;
  /// As known_keys() names it.
  std::string key;
};
/// By path. Endpoints by their ids; what price lists say of one as "prices of endpoint[ID]".
using Options = std::map<std::string, OptionText>;
Options options_of(Config config);

}  // namespace troupe::config
