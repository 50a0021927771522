// Finding users and what they are members of.
#include "agents/recap/readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe::recap {
namespace {

const slack::User* find_reader(const slack::Workspace& workspace, const std::string& name) {
  if (auto by_id = workspace.users.find(name); by_id != workspace.users.end()) return &by_id->second;
  for (const auto& [id, user] : workspace.users) {
    if (user.name == name) return &user;
  }
  return nullptr;
}

std::set<std::string> channels_of(const slack::Workspace& workspace, const std::string& user_id) {
  std::set<std::string> out;
  for (const auto& channel : workspace.channels) {
    if (std::ranges::find(channel.member_ids, user_id) != channel.member_ids.end()) out.insert(channel.name);
  }
  return out;
}

}  // namespace

Result<std::vector<Reader>> find_readers(const slack::Workspace& workspace,
                                         const std::vector<std::string>& users) {
  std::vector<Reader> out;
  std::set<std::string> seen;
  for (const auto& name : users) {
    const auto* user = find_reader(workspace, name);
    if (user == nullptr) return fail(Errc::invalid_input, fmt::format("users: there is no user {}", name));
    if (!seen.insert(user->id).second) continue;
    auto mine = channels_of(workspace, user->id);
    Reader reader{.name = user->name, .days = {}};
    for (std::size_t i = 0; i < workspace.days.size(); ++i) {
      if (mine.contains(workspace.days[i].channel)) reader.days.push_back(i);
    }
    out.push_back(std::move(reader));
  }
  return out;
}

std::size_t shared_days(const std::vector<Reader>& readers) {
  std::map<std::size_t, std::size_t> readers_of;
  for (const auto& reader : readers) {
    for (auto day : reader.days) ++readers_of[day];
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(readers_of, [](auto& entry) { return entry.second > 1; }));
}

}  // namespace troupe::recap
