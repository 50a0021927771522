// What a run that is done may show of its result now (MECHANISMS J5).
#pragma once

#include "runtime/journal/journal.hpp"

#include <string>

namespace troupe::actors {

/// The recorded output; of a summary and of research without what rests on lines or documents that were
/// deleted or changed since (agents/summary/standing.hpp, agents/research/standing.hpp). Reads the files the
/// run was given, so it may take as long as that does.
std::string shown_output(const journal::RunRow& row);

}  // namespace troupe::actors
