#include "actors/shown_output.hpp"

#include "agents/summary/standing.hpp"

namespace troupe::actors {

std::string shown_output(const journal::RunRow& row) {
  if (row.state != journal::RunState::done || row.workflow != "summary") return row.output;
  return summary::summary_as_of_now({row.output}, {row.input}).text;
}

}  // namespace troupe::actors
