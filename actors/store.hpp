// Opens the store that a configuration names.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/journal/journal.hpp"

#include <memory>

namespace troupe::actors {

/// For the node of this configuration, to write; in PostgreSQL it has joined then.
Result<std::unique_ptr<journal::Journal>> open_store(const config::Config& config);
/// For looking only, also while nodes write.
Result<std::unique_ptr<journal::Journal>> open_store_readonly(const config::Config& config);

}  // namespace troupe::actors
