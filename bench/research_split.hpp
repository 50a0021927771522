// A lead that gives as many tasks as it is told to, where the simulator's own gives one for most questions.
#pragma once

#include "bench/research_ways.hpp"

#include <cstddef>

namespace troupe::bench {

/// Settings and model of a run that plans `agents` tasks: the question itself, then one for each of its
/// names, then one for each of ever shorter stretches of it. Fewer start where the runtime finds tasks alike
/// or the question has too few words.
AgentsWay split_among(const KnownQuestion& question, std::size_t agents);

/// How many were started.
double agents_of(const Answered& answered);

}  // namespace troupe::bench
