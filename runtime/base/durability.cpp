// The words for what a run's record survives.
#include <troupe/durability.hpp>

#include <fmt/format.h>

namespace troupe {

const char* to_string(Durability durability) {
  switch (durability) {
    case Durability::unsaid: return "default";
    case Durability::power: return "power";
    case Durability::crash: return "crash";
  }
  return "?";
}

Result<Durability> read_durability(std::string_view word) {
  if (word.empty()) return Durability::unsaid;
  for (auto each : {Durability::unsaid, Durability::power, Durability::crash})
    if (word == to_string(each)) return each;
  if (word == "none")
    return fail(Errc::invalid_input,
                "durability none is not offered: a run that its process takes along would buy its answers "
                "again; choose power or crash");
  return fail(Errc::invalid_input, fmt::format("durability {} is unknown; there are power and crash", word));
}

}  // namespace troupe
