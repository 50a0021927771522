// Names end where a zero byte is, so that no text can pass for another cut elsewhere.
#include "runtime/base/spec_hash.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>

namespace troupe {

std::string spec_hash(const ToolSpec& spec) {
  auto text = spec.name + '\0' + spec.description + '\0' + spec.input_schema.text;
  return fmt::format("{:016x}", stable_hash(text));
}

}  // namespace troupe
