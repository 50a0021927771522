#include "actors/store.hpp"

#include <filesystem>

namespace troupe::actors {
namespace {

std::string file_of(const config::Config& config) {
  std::filesystem::path path = config.store.path;
  if (path.is_relative()) path = std::filesystem::path(config.node.state_dir) / path;
  return path.string();
}

journal::PostgresConfig server_of(const config::Config& config) {
  journal::PostgresConfig postgres;
  postgres.conninfo = config.store.url;
  postgres.schema = config.store.schema;
  postgres.power_safe = config.store.power_safe;
  return postgres;
}

bool shared(const config::Config& config) { return config.store.kind == "postgres"; }

}  // namespace

Result<std::unique_ptr<journal::Journal>> open_store(const config::Config& config) {
  if (shared(config)) {
    auto postgres = server_of(config);
    postgres.node = config.node.id;
    postgres.address = config.cluster.listen;
    postgres.region = config.node.region;
    return journal::open_postgres(std::move(postgres));
  }
  journal::SqliteConfig sqlite;
  sqlite.path = file_of(config);
  sqlite.power_safe = config.store.power_safe;
  return journal::open_sqlite(std::move(sqlite));
}

Result<std::unique_ptr<journal::Journal>> open_store_readonly(const config::Config& config) {
  return shared(config) ? journal::open_postgres_readonly(server_of(config))
                        : journal::open_sqlite_readonly(file_of(config));
}

}  // namespace troupe::actors
