// The one seat of a SQLite file: who holds the file is the only member there can be.
#pragma once

#include "runtime/journal/committer.hpp"
#include "runtime/journal/membership.hpp"
#include "runtime/journal/readers.hpp"

#include <mutex>
#include <string>

namespace troupe::journal {

/// The file's lock stands for the lease: it is held until the process ends, however it ends. What is left of
/// the protocol are names and incarnations, and the runs of earlier processes.
class SqliteMembership final : public Membership {
 public:
  /// The committer must outlive it.
  SqliteMembership(Committer& committer, std::string path)
      : committer_(committer), readers_(std::move(path)) {}

  Result<std::uint64_t> join(const std::string& node, const std::string& address,
                             const std::string& region) override;
  Result<void> renew() override;
  bool held() const override;
  Result<std::vector<NodeRow>> nodes() override;
  Result<std::vector<RunRow>> take_over(std::size_t limit) override;
  Result<std::vector<RunRow>> take_over_served(std::size_t limit, const Serves& serves,
                                               std::vector<RunKind>* waiting) override;
  Result<void> leave() override;
  Result<void> poke(const std::string& topic) override;
  void watch(std::function<void(const std::string&)> hint) override;

  /// 0: nobody has joined.
  std::uint64_t incarnation() const { return seat().incarnation; }

 private:
  struct Seat {
    std::string node;
    std::uint64_t incarnation = 0;
  };
  Seat seat() const;
  /// Of that kind, or of any when it is null; adds to `taken`, up to `limit`.
  Result<void> take(const RunKind* kind, std::size_t limit, std::vector<RunRow>& taken);
  Result<void> work(std::function<Result<void>(Connection&, Writer&)> work);

  Committer& committer_;
  Readers readers_;
  mutable std::mutex mutex_;
  Seat seat_;
  std::mutex hint_mutex_;
  std::function<void(const std::string&)> hint_;
};

}  // namespace troupe::journal
