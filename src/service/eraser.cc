// Carrying erasures out: steps 1 to 5 of keys.md 5, on a thread of its own. Requests that come within the window share
// one epoch. What a crash interrupted is taken up at the next start, from fences, pending epochs and open requests.
#include <algorithm>
#include <future>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "codec/bodies_codec.h"
#include "codec/header_codec.h"
#include "codec/parts.h"
#include "service/impl.h"
#include "views/projection.h"

namespace siegel::service {
namespace {

// One event for each `most` requests, all of the same two epochs. The leaves stand in the first: they add up.
std::vector<Facts> facts_of(const vault::EpochChange& change, std::span<const std::uint64_t> requests,
                            std::size_t most) {
  ErasureEffectiveFacts facts;
  facts.old_epoch = change.from.get();
  facts.new_epoch = change.to.get();
  facts.old_root = change.old_root;
  facts.new_root = change.new_root;
  facts.leaves = change.leaves;
  facts.grade = static_cast<std::uint16_t>(change.grade);
  facts.members = change.members;
  facts.replicas = change.replicas;
  std::vector<Facts> out;
  std::span rest(requests);
  do {
    const auto named = rest.first(std::min(rest.size(), most));
    facts.requests.assign(named.begin(), named.end());
    out.emplace_back(facts);
    facts.leaves = 0;
    rest = rest.subspan(named.size());
  } while (!rest.empty());
  return out;
}

bool names(const vault::EpochChange& change, const vault::Fence& fence) {
  return std::binary_search(change.requests.begin(), change.requests.end(), fence.request);
}

// No more than died: another request may have named some of them too.
std::uint64_t lost_leaves(vault::Vault& vault, const vault::EpochChange& change) {
  std::uint64_t leaves = 0;
  for (const auto& fence : vault.fences())
    if (vault::is_lost(fence) && names(change, fence)) leaves += fence.slots.size();
  return std::min(leaves, change.leaves);
}

// What is past its term, and what carry_on_lost() fenced: a job stands where the request would.
Result<bool> is_of_job(const ledger::Ledger& ledger, const vault::Fence& fence) {
  if (fence.request >= ledger.size().get()) return false;
  SIEGEL_TRY(stored, ledger.read(Seq(fence.request)));
  SIEGEL_TRY(header, codec::decode_header(stored.header));
  return header.type == EventType::job_started;
}

// For whoever waits for an erasure while the ledger does not take an epoch: it is requested and follows by itself.
Error untold_error(const Error& cause) {
  if (cause.category() == Errc::unavailable || cause.category() == Errc::overloaded) return cause;
  return Error(Errc::unavailable, "read_only",
               "An erasure cannot be recorded yet. This one is requested, and follows by itself.")
      .with("reason", cause.code());
}

}  // namespace

Status Impl::tell_effective(const vault::EpochChange& change) {
  std::vector<std::pair<SubjectId, Seq>> concerned;
  std::optional<std::uint64_t> job_leaves;  // the change ends a job, which destroyed so many
  eraser_.with([&](const EraserState& e) {
    for (const auto& open : e.queue) {
      for (std::size_t i = 0; i < open.subjects.size(); ++i)
        if (names(change, open.fences[i])) concerned.emplace_back(open.subjects[i], Seq(open.fences[i].request));
      if (open.subjects.empty() && names(change, open.fences.front())) job_leaves = change.leaves;
    }
  });
  auto requests = change.requests;
  if (std::erase_if(requests, [](auto request) { return request >= vault::kLostRequest; }) > 0) {
    SIEGEL_TRY(receipt, begin_job(JobFacts::Kind::terms));
    requests.push_back(receipt.seq().get());
    job_leaves = lost_leaves(vault, change);
  }
  auto promise = std::make_shared<std::promise<Result<ledger::Committed>>>();
  auto future = promise->get_future();
  // On the writer, before the answer: what people have left after it is for the views to say.
  const auto ended = [this, &concerned, promise](Result<ledger::Committed> outcome) {
    if (outcome) {
      const auto lock = state.lock();
      const Seq last(outcome->size.get() - 1);
      for (const auto& [subject, request] : concerned) state.left_to_views(owner_of(subject), last, request);
    }
    promise->set_value(std::move(outcome));
  };
  // In one batch: an epoch is told or it is not, also where it destroyed the leaves of more than one header can name.
  submit(make_system(*this, EventType::erasure_effective, facts_of(change, requests, options.requests_per_epoch_max),
                     ended));
  const auto told = future.get();
  if (!told) return Error(told.error());
  if (job_leaves) end_job(JobFacts::Kind::terms, *job_leaves);
  answer_effective(change, *told);
  return Done{};
}

// What the change names is open no longer.
void Impl::answer_effective(const vault::EpochChange& change, const ledger::Committed& told) {
  std::vector<std::pair<Callback<Written>, Written>> answers;
  eraser_.with([&](EraserState& e) {
    std::erase_if(e.queue, [&](OpenErasure& open) {
      if (!std::all_of(open.fences.begin(), open.fences.end(), [&](const auto& f) { return names(change, f); }))
        return false;
      if (open.done) answers.emplace_back(std::move(open.done), std::move(open.written));
      return true;
    });
  });
  for (auto& [done, written] : answers) {
    written.kind = Written::Kind::erasure_effective;
    written.old_epoch = change.from;
    written.new_epoch = change.to;
    written.grade = change.grade;
    written.seq = told.first;
    written.size = told.size;
    done(std::move(written));
  }
}

void Impl::answer_waiting(const Error* error) {
  std::vector<std::pair<Callback<Written>, Written>> waiting;
  eraser_.with([&](EraserState& e) {
    for (auto& open : e.queue)
      if (open.done) waiting.emplace_back(std::exchange(open.done, nullptr), open.written);
  });
  for (auto& [done, written] : waiting) {
    if (error != nullptr) {
      done(Error(*error));
    } else {
      done(std::move(written));
    }
  }
}

void Impl::enqueue(OpenErasure erasure) {
  search_feed.expect(erasure.records);  // before anybody is answered, and before the read models tell of it
  // Whoever waits is answered after the last part.
  std::deque<OpenErasure> parts;
  const auto most = static_cast<std::ptrdiff_t>(options.requests_per_epoch_max);
  while (std::ssize(erasure.fences) > most) {
    OpenErasure part;
    part.id = erasure.id;
    part.records = std::exchange(erasure.records, {});  // of all: with the first
    part.now = erasure.now;
    part.requested_at = erasure.requested_at;
    const auto fences_end = erasure.fences.begin() + most;
    const auto subjects_end = erasure.subjects.begin() + most;
    part.fences.assign(std::make_move_iterator(erasure.fences.begin()), std::make_move_iterator(fences_end));
    part.subjects.assign(erasure.subjects.begin(), subjects_end);
    erasure.fences.erase(erasure.fences.begin(), fences_end);
    erasure.subjects.erase(erasure.subjects.begin(), subjects_end);
    parts.push_back(std::move(part));
  }
  parts.push_back(std::move(erasure));
  const bool late = eraser_.with([&](EraserState& state_now) {
    for (auto& part : parts) state_now.queue.push_back(std::move(part));
    return state_now.stop;
  });
  eraser_.notify_all();
  if (late) answer_waiting(nullptr);  // nobody carries it out before the next start
}

// As many as one erasure.effective can name, and a job for itself: its leaves are counted. They stay in the queue until
// it is told.
std::vector<vault::Fence> Impl::next_batch() {
  return eraser_.with([this](const EraserState& e) {
    std::vector<vault::Fence> batch;
    for (const auto& open : e.queue) {
      const bool job = open.subjects.empty();
      if (!batch.empty() && (job || batch.size() + open.fences.size() > options.requests_per_epoch_max)) break;
      batch.insert(batch.end(), open.fences.begin(), open.fences.end());
      if (job) break;
    }
    return batch;
  });
}

Status Impl::tell_untold() {
  for (const auto& change : vault.untold()) {
    // Else the event is durable: the vault could not hear of it when it came, or a crash was faster.
    if (change.to > ledger.epoch()) SIEGEL_CHECK(tell_effective(change));
    SIEGEL_CHECK(vault.told(change.to));
  }
  return Done{};
}

bool Impl::has_to_forget(const EraserState& e) {
  return std::any_of(e.queue.begin(), e.queue.end(), [](const OpenErasure& open) { return !open.records.empty(); });
}

// The fences stand: what is opened from here on has nothing of the dying any more. A search does not wait for it.
void Impl::forget_in_search() {
  std::vector<RecordId> records;
  eraser_.with([&](EraserState& e) {
    for (auto& open : e.queue) {
      const auto taken = std::exchange(open.records, {});
      records.insert(records.end(), taken.begin(), taken.end());
    }
  });
  if (!records.empty()) search_feed.look_again(records);
}

// Once for each attempt, at its end: what one failed of stands until one succeeds. A place that is away, and a ledger
// that takes nothing, are told by themselves.
void Impl::note_failure(ErasureFailure EraserState::*of, const Status& outcome) {
  ErasureFailure failure;
  if (!outcome) {
    for (const auto* told : {"root_store_unavailable", "keys_replica_unavailable", "read_only"})
      if (outcome.error().is(told)) return;
    failure = {outcome.error().code(), !vault.untold().empty()};
  }
  eraser_.with([&](EraserState& e) { e.*of = std::move(failure); });
}

// Epochs are told in their order, each with the requests that it was made for: what could not be told when it came, or
// waited for a member of the mirror, is told before the next one is made.
bool Impl::carry_out() {
  auto effective = vault.settle();
  auto told = effective ? tell_untold() : Status(Done{});
  if (const auto fences = effective && told ? next_batch() : std::vector<vault::Fence>(); !fences.empty()) {
    forget_in_search();
    if (auto change = vault.erase(fences); !change) {
      effective = Error(change.error());
    } else {
      told = tell_untold();
    }
  }
  note_failure(&EraserState::failure, effective ? told : effective);
  if (!effective) {  // everybody stays fenced and the requests open; whoever waits learns that it is requested
    answer_waiting(nullptr);
  } else if (!told) {
    const auto error = untold_error(told.error());
    answer_waiting(&error);
  }
  return effective && told;
}

// The first request opens a window; one that asks for "now" closes it. The fence of each stands already, so the search
// index forgets at once. True: stop.
bool Impl::wait_for_window() {
  const auto urgent = [](const EraserState& e) {
    return e.stop || e.queue.empty() ||
           std::any_of(e.queue.begin(), e.queue.end(), [](const OpenErasure& o) { return o.now; });
  };
  const auto ends = std::chrono::steady_clock::now() + options.erase_window;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(ends - std::chrono::steady_clock::now());
    enum class Next : std::uint8_t { stop, erase, forget };
    const auto next = eraser_.when_for(
        std::max(left, std::chrono::milliseconds(0)),
        [&](const EraserState& e) { return urgent(e) || has_to_forget(e); },
        [&](const EraserState& e, bool) { return e.stop      ? Next::stop
                                                 : urgent(e) ? Next::erase
                                                             : Next::forget; });
    if (next == Next::stop) return true;
    if (next == Next::erase || left.count() <= 0) return false;
    forget_in_search();
  }
}

void Impl::eraser_loop() {
  auto next_terms = std::chrono::steady_clock::now();
  bool failed = false;
  for (;;) {
    if (std::chrono::steady_clock::now() >= next_terms) {
      note_failure(&EraserState::terms_failure, end_terms());  // what cannot end now is looked at again the next time
      next_terms = std::chrono::steady_clock::now() + options.terms_every;
    }
    // Each turn looks at the root stores too: often while one of them is away, so that erasures go on once it is back.
    const bool hampered = failed || vault.counters().roots_away > 0;
    bool stop = eraser_.when_for(
        hampered ? options.erase_retry : std::min(options.terms_every, options.roots_every),
        [&](const EraserState& e) { return e.stop || (!failed && !e.queue.empty()) || has_to_forget(e); },
        [](const EraserState& e, bool) { return e.stop; });
    if (!stop) forget_in_search();
    if (!stop && !failed) stop = wait_for_window();
    if (stop) return;  // open requests are taken up at the next start
    failed = !carry_out();
  }
}

// ── at the start ──

// A request that the ledger holds without its effect, and whose fence is gone: it was effective, that was told, and the
// ledger is older, a backup or one that lost its end. The leaves are dead. They are fenced once more and die once more,
// with nothing left to destroy, so that the ledger says so again, and of an epoch of its own.
Result<vault::Fence> Impl::fence_again(const views::Views::OpenRequest& request,
                                       const std::vector<std::uint32_t>& classes) {
  vault::Fence fence{request.seq.get(), {}};
  SIEGEL_TRY(owner, views.owner(owner_of(request.subject)));
  if (owner) {
    for (const auto& leaf : owner->leaves) {
      if (!views::ends_with(classes, leaf.cls)) continue;
      if (vault.living(leaf.slot))
        return Error(Errc::corrupt, "keys_behind", "An erasure was requested, but the keys store has lost its fence.")
            .with("seq", request.seq);
      fence.slots.push_back(leaf.slot);
    }
  }
  SIEGEL_CHECK(vault.fence(fence));
  return fence;
}

Status Impl::carry_on(const views::Views::OpenRequest& request, std::optional<vault::Fence> fence) {
  SIEGEL_TRY(stored, ledger.read(request.seq));
  SIEGEL_TRY(header, codec::decode_header(stored.header));
  const auto* facts = std::get_if<ErasureRequestedFacts>(&header.facts);
  const auto classes = facts == nullptr ? std::vector<std::uint32_t>{} : facts->classes;
  if (!fence) {
    SIEGEL_TRY(again, fence_again(request, classes));
    fence = std::move(again);
  }
  const auto owner = owner_of(request.subject);
  SIEGEL_TRY(found, snapshot(owner));
  {
    const auto lock = state.lock();
    const auto entry = state.owner(owner, found);
    if (entry.known && facts != nullptr) {
      decide::FenceEntry fenced{request.seq, {}};
      for (const auto cls : classes) fenced.classes.emplace_back(cls);
      entry.entry->fences.push_back(std::move(fenced));
    }
  }
  OpenErasure open;
  open.id = request.erasure;
  open.subjects = {request.subject};
  open.fences = {std::move(*fence)};
  open.requested_at = header.time;
  open.now = true;
  enqueue(std::move(open));
  return Done{};
}

void Impl::carry_on(vault::Fence job) {
  OpenErasure open;
  open.fences = {std::move(job)};
  open.requested_at = clock.now();
  open.now = true;
  enqueue(std::move(open));
}

// Erasures that were asked for in what the ledger lost, and the leaves that were opened in it. No event tells of them,
// so their leaves die as what is past its term does, under the number of a job. Those of an epoch that waits for a
// member of the mirror are dead already.
Status Impl::carry_on_lost(std::vector<vault::Fence> lost) {
  const auto living = std::partition(lost.begin(), lost.end(), [](const auto& fence) { return fence.destroyed; });
  for (auto it = lost.begin(); it != living; ++it) carry_on(std::move(*it));
  lost.erase(lost.begin(), living);
  std::sort(lost.begin(), lost.end(), [](const auto& a, const auto& b) { return a.request < b.request; });
  // One job for all of them, but for each further portion of what was given up: an epoch is written in one batch.
  while (!lost.empty()) {
    const auto portion = std::find_if(lost.begin(), lost.end(), vault::is_given_up);
    const auto end = portion == lost.end() ? portion : portion + 1;
    SIEGEL_CHECK(carry_on_job(std::span(lost.begin(), end)));
    lost.erase(lost.begin(), end);
  }
  return Done{};
}

Status Impl::carry_on_job(std::span<const vault::Fence> lost) {
  vault::Fence all;
  for (const auto& fence : lost) all.slots.insert(all.slots.end(), fence.slots.begin(), fence.slots.end());
  SIEGEL_TRY(receipt, begin_job(JobFacts::Kind::terms));
  all.request = receipt.seq().get();
  SIEGEL_CHECK(vault.fence(all));  // stands from here on, also after a crash: forget_dead_fences()
  for (const auto& fence : lost) SIEGEL_CHECK(vault.forget_fence(fence.request));
  carry_on(std::move(all));
  return Done{};
}

// What was effective but not told is told; fences whose request never became durable go; open requests continue.
Status Impl::carry_on_erasures() {
  SIEGEL_CHECK(tell_untold());
  // The views show the erasures just told before open requests are looked for.
  SIEGEL_CHECK(await_views(ledger.size()));
  SIEGEL_TRY(open, views.open_erasure_requests());
  std::map<std::uint64_t, vault::Fence> asked;  // by request
  std::vector<vault::Fence> lost;
  for (auto& fence : vault.fences()) {
    if (std::any_of(open.begin(), open.end(), [&](const auto& r) { return r.seq.get() == fence.request; })) {
      asked.emplace(fence.request, std::move(fence));
      continue;
    }
    if (vault::is_lost(fence)) {
      lost.push_back(std::move(fence));
      continue;
    }
    SIEGEL_TRY(job, is_of_job(ledger, fence));
    if (job) {
      carry_on(std::move(fence));
      continue;
    }
    const auto gone = vault.forget_fence(fence.request);
    // Leaves past their term, destroyed but for a member of the mirror: their epoch is told when that one is back.
    if (!gone && !gone.error().is("erasure_effective")) return gone;
  }
  for (const auto& request : open) {
    const auto it = asked.find(request.seq.get());
    SIEGEL_CHECK(carry_on(request, it == asked.end() ? std::nullopt : std::optional(it->second)));
  }
  return carry_on_lost(std::move(lost));
}

}  // namespace siegel::service
