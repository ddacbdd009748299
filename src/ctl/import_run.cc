#include "ctl/import_run.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ctl/output.h"
#include "model/ids.h"

namespace siegel::ctl {
namespace {

constexpr std::size_t kInFlight = 32;
constexpr std::chrono::milliseconds kGlance{50};     // how often an interruption is looked for
constexpr std::uint64_t kWaitMsMax = 30'000;         // at once, whatever the server says
constexpr std::uint64_t kWaitMsAllMax = 5 * 60'000;  // for one row
constexpr std::uint64_t kReopenMsMax = 10'000;       // what a server takes to open its ledger anew after a failed write

// What the next row would meet as well.
bool is_for_all(long status) {
  switch (status) {
    case 400:
    case 409:
    case 410:
    case 413:
    case 422:
      return false;
    default:
      return true;
  }
}

std::string member(const nlohmann::json& object, const char* name) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// "/values/e-mail" names a column; any other pointer does not.
std::string column_of(const std::string& pointer) {
  constexpr std::string_view kPrefix = "/values/";
  return pointer.starts_with(kPrefix) ? pointer.substr(kPrefix.size()) : std::string();
}

}  // namespace

ImportRun::ImportRun(const Global& global, Options options) : global_(global), options_(std::move(options)) {}

ImportRun::~ImportRun() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    hurried_ = true;
  }
  join();
}

void ImportRun::join() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  news_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

// A token of one purpose needs none named, and the type's may be another. So it is named only if it is asked for, and
// the first row finds out: each time that it is asked for is a refusal in the ledger.
void ImportRun::send_first(Row row) {
  Client client(global_);
  auto answer = post(client, row);
  if (answer && global_.purpose.empty() && !options_.default_purpose.empty() &&
      member(parse(answer->body), "code") == "purpose_missing") {
    global_.purpose = options_.default_purpose;
    client = Client(global_);
    answer = post(client, row);
  }
  settle(std::move(row), std::move(answer));
}

bool ImportRun::send(Row row) {
  if (workers_.empty() && !stopped_) {
    send_first(std::move(row));
    for (std::size_t i = 0; i < kInFlight; ++i) workers_.emplace_back([this] { work(); });
    const std::lock_guard lock(mutex_);
    return !stopped_;
  }
  std::unique_lock lock(mutex_);
  while (!room_.wait_for(lock, kGlance, [this] { return stopped_ || waiting_.size() < kInFlight; }))
    if (options_.is_interrupted()) break;
  if (stopped_ || options_.is_interrupted()) return false;
  waiting_.push_back(std::move(row));
  news_.notify_one();
  return true;
}

void ImportRun::refuse(std::uint64_t number, RowFailure failure) {
  const std::lock_guard lock(mutex_);
  outcome_.failures.insert_or_assign(number, std::move(failure));
}

ImportOutcome ImportRun::finish() {
  join();
  for (const auto& subject : people_met_) outcome_.known_people += new_people_.contains(subject) ? 0 : 1;
  return std::move(outcome_);
}

// With the same key: one that is in answers with its record, and one that is not goes in and can be taken back.
void ImportRun::ask_again(Client& client, ImportOutcome& outcome) {
  for (const auto& [number, row] : unsure_) {
    const auto answer = post(client, row, ReadOnly::wait);
    if (!answer || answer->status == 503) return;  // the others would wait as long
    if (answer->ok()) {
      outcome.records.insert_or_assign(number, member(parse(answer->body), "record"));
    } else if (!is_for_all(answer->status)) {
      outcome.records.erase(number);  // one that was in would not be refused
    }
  }
}

std::uint64_t ImportRun::take_back(ImportOutcome& outcome) {
  Client client(global_);
  hurried_ = false;
  ask_again(client, outcome);
  std::uint64_t removed = 0;
  for (auto at = outcome.records.begin(); at != outcome.records.end();) {
    const auto& [row, record] = *at;
    if (record.empty()) {
      ++at;
      continue;
    }
    const Request request{
        "DELETE",
        "/v1/records/" + segment(record),
        "",
        {"If-Match: \"1\"", "Idempotency-Key: " + options_.run + "-" + std::to_string(row) + "-back"}};
    const auto answer = patiently(client, request);
    if (!answer) break;  // the server is away: the others would wait as long
    if (!answer->ok() && answer->status != 404 && answer->status != 410) {
      ++at;
      continue;
    }
    ++removed;
    at = outcome.records.erase(at);
  }
  return removed;
}

void ImportRun::stop(Cause cause) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    // To take back what is in it must be known what is: an answer that was lost is asked for again.
    hurried_ = !options_.stop_at_refusal || std::holds_alternative<Error>(cause);
    if (!options_.is_interrupted()) cause_ = std::move(cause);
  }
  room_.notify_all();
  news_.notify_all();
}

bool ImportRun::pause(std::uint64_t milliseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  std::unique_lock lock(mutex_);
  while (!options_.is_interrupted()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
    if (news_.wait_for(lock, std::min(left, kGlance), [this] { return hurried_; })) return false;
  }
  return false;
}

Result<Answer> ImportRun::post(Client& client, const Row& row, ReadOnly read_only) {
  return patiently(
      client,
      {"POST", options_.path, row.body, {"Idempotency-Key: " + options_.run + "-" + std::to_string(row.number)}},
      read_only);
}

// Until there is an answer that does not ask to wait. The key makes it safe to send a request again.
Result<Answer> ImportRun::patiently(Client& client, const Request& request, ReadOnly read_only) {
  std::uint64_t waited = 0;
  for (std::uint64_t pause_ms = 100;; pause_ms = std::min(pause_ms * 2, kWaitMsMax)) {
    auto answer = client.send(request);
    if (!answer && answer.error().category() != Errc::unavailable) return answer;
    if (answer && answer->status != 503 && answer->status != 429) return answer;
    // Read-only lasts until an operator acts, or ends within seconds: then its Retry-After is too long.
    const bool is_read_only = answer && member(parse(answer->body), "code") == "read_only";
    if (is_read_only && read_only == ReadOnly::give_up) return answer;
    std::uint64_t wait_ms = pause_ms;
    if (answer && !is_read_only)
      if (const auto seconds = parse_u64(answer->header("retry-after"))) wait_ms = std::max(wait_ms, *seconds * 1000);
    wait_ms = std::min(wait_ms, is_read_only ? kReopenMsMax / 10 : kWaitMsMax);
    waited += wait_ms;
    const std::uint64_t most = is_read_only ? kReopenMsMax : answer ? kWaitMsAllMax : kWaitMsMax;
    if (waited > most || !pause(wait_ms)) return answer;
  }
}

// Ids begin with the time at which the server made them: a person older than the record was there before the row.
void ImportRun::note_person(const std::string& subject, const std::string& record, bool repeated) {
  constexpr std::size_t kTimeBytes = 6;
  const auto person = parse_id("su", subject), made = parse_id("re", record);
  if (!person || !made) return;
  const bool was_there = std::lexicographical_compare(person->begin(), person->begin() + kTimeBytes, made->begin(),
                                                      made->begin() + kTimeBytes);
  if (!was_there) {
    new_people_.insert(subject);
  } else if (!repeated) {
    people_met_.push_back(subject);
  }
}

void ImportRun::note(Row row, const Answer& answer) {
  const auto body = parse(answer.body);
  const std::lock_guard lock(mutex_);
  if (answer.ok()) {
    const bool repeated = answer.header("siegel-replayed") == "true";
    ++(repeated ? outcome_.repeated : outcome_.taken);
    note_person(member(body, "subject"), member(body, "record"), repeated);
    if (options_.stop_at_refusal) outcome_.records.emplace(row.number, member(body, "record"));
    auto position = member(body, "position");
    // "<ledger>:<size>": the longer size, or the same length and greater.
    if (position.size() > outcome_.position.size() ||
        (position.size() == outcome_.position.size() && position > outcome_.position))
      outcome_.position = std::move(position);
    return;
  }
  outcome_.failures.insert_or_assign(row.number, RowFailure{{{member(body, "code"), column_of(member(body, "pointer")),
                                                              member(body, "detail"), member(body, "reason")}},
                                                            std::move(row.cells)});
}

// An exception must not leave a thread: it would end the program, and nobody would know what is in.
void ImportRun::work() {
  try {
    work_through();
  } catch (const std::exception&) {
    stop(Error(Errc::unavailable, "internal", "Something failed that should not."));
  }
}

void ImportRun::work_through() {
  Client client(global_);
  for (;;) {
    Row row;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return stopped_ || closed_ || !waiting_.empty(); });
      if (stopped_ || waiting_.empty() || options_.is_interrupted()) return;
      row = std::move(waiting_.front());
      waiting_.pop_front();
    }
    room_.notify_one();
    auto answer = post(client, row);
    if (!settle(std::move(row), std::move(answer))) return;
  }
}

bool ImportRun::settle(Row row, Result<Answer> answer) {
  // Perhaps it is in: an answer was lost, or the server failed after its group was written.
  if (options_.stop_at_refusal && (!answer || answer->status >= 500)) {
    const std::lock_guard lock(mutex_);
    const auto number = row.number;
    outcome_.records.emplace(number, "");
    unsure_.emplace(number, std::move(row));
  }
  if (!answer) {
    stop(answer.error());
    return false;
  }
  const bool ok = answer->ok();
  if (!ok && is_for_all(answer->status)) {
    stop(std::move(*answer));
    return false;
  }
  note(std::move(row), *answer);
  if (ok || !options_.stop_at_refusal) return true;
  stop(std::move(*answer));
  return false;
}

}  // namespace siegel::ctl
