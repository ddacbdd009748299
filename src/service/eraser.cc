// Carrying erasures out: steps 1 to 5 of keys.md 5, on a thread of its own. Requests that come within the window share
// one epoch. What a crash interrupted is taken up at the next start, from fences, pending epochs and open requests.
#include <algorithm>
#include <future>
#include <iterator>

#include "codec/bodies_codec.h"
#include "codec/parts.h"
#include "service/impl.h"

namespace siegel::service {
namespace {

constexpr std::chrono::seconds kRetry{5};
constexpr std::ptrdiff_t kRequestsPerEpochMax = 4'000;  // their numbers stand in one header

ErasureEffectiveFacts facts_of(const vault::EpochChange& change) {
  ErasureEffectiveFacts facts;
  facts.old_epoch = change.from.get();
  facts.new_epoch = change.to.get();
  facts.old_root = change.old_root;
  facts.new_root = change.new_root;
  facts.leaves = change.leaves;
  facts.grade = static_cast<std::uint16_t>(change.grade);
  facts.members = change.members;
  facts.replicas = change.replicas;
  facts.requests = change.requests;
  return facts;
}

}  // namespace

Result<ledger::Committed> Impl::tell_effective(const vault::EpochChange& change, const std::deque<OpenErasure>& batch) {
  auto promise = std::make_shared<std::promise<Result<ledger::Committed>>>();
  auto future = promise->get_future();
  // On the writer, before the answer: what people have left after it is for the views to say.
  const auto ended = [this, &batch, promise](Result<ledger::Committed> outcome) {
    if (outcome) {
      const auto lock = state.lock();
      for (const auto& open : batch)
        for (std::size_t i = 0; i < open.fences.size(); ++i)
          state.left_to_views(owner_of(open.subjects[i]), outcome->first, Seq(open.fences[i].request));
    }
    promise->set_value(std::move(outcome));
  };
  submit(make_system(*this, EventType::erasure_effective, facts_of(change), {}, built_in::job, ended));
  auto outcome = future.get();
  if (!outcome) return Error(outcome.error());
  SIEGEL_CHECK(vault.told(change.to));
  return outcome;
}

void Impl::enqueue(OpenErasure erasure) {
  // Whoever waits is answered after the last part.
  std::deque<OpenErasure> parts;
  while (std::ssize(erasure.fences) > kRequestsPerEpochMax) {
    OpenErasure part;
    part.id = erasure.id;
    part.now = erasure.now;
    part.requested_at = erasure.requested_at;
    const auto fences_end = erasure.fences.begin() + kRequestsPerEpochMax;
    const auto subjects_end = erasure.subjects.begin() + kRequestsPerEpochMax;
    part.fences.assign(std::make_move_iterator(erasure.fences.begin()), std::make_move_iterator(fences_end));
    part.subjects.assign(erasure.subjects.begin(), subjects_end);
    erasure.fences.erase(erasure.fences.begin(), fences_end);
    erasure.subjects.erase(erasure.subjects.begin(), subjects_end);
    parts.push_back(std::move(part));
  }
  parts.push_back(std::move(erasure));
  eraser_.with([&](EraserState& state_now) {
    if (state_now.open == 0) state_now.oldest = parts.front().requested_at;
    state_now.open += parts.size();
    for (auto& part : parts) state_now.queue.push_back(std::move(part));
  });
  eraser_.notify_all();
}

// As many as one erasure.effective can name.
std::deque<OpenErasure> Impl::next_batch() {
  return eraser_.with([](EraserState& e) {
    std::deque<OpenErasure> batch;
    std::ptrdiff_t requests = 0;
    while (!e.queue.empty()) {
      requests += std::ssize(e.queue.front().fences);
      if (!batch.empty() && requests > kRequestsPerEpochMax) break;
      batch.push_back(std::move(e.queue.front()));
      e.queue.pop_front();
    }
    return batch;
  });
}

// Epochs are told in their order: what could not be told when it came is told before the next one is made.
Status Impl::tell_untold() {
  for (const auto& change : vault.untold()) {
    if (change.to <= ledger.epoch()) {  // the event is durable: a crash came before the vault heard of it
      SIEGEL_CHECK(vault.told(change.to));
      continue;
    }
    SIEGEL_TRY(told, tell_effective(change, {}));
  }
  return Done{};
}

void Impl::answer_open_erasures() {
  std::vector<std::pair<Callback<Written>, Written>> waiting;
  eraser_.with([&](EraserState& e) {
    for (auto& open : e.queue)
      if (open.done) waiting.emplace_back(std::exchange(open.done, nullptr), open.written);
  });
  for (auto& [done, written] : waiting) done(std::move(written));
}

void Impl::eraser_loop() {
  const auto wait_to_retry = [this] {
    eraser_.when_for(
        kRetry, [](const EraserState& e) { return e.stop; }, [](const EraserState&, bool) {});
  };
  auto next_terms = std::chrono::steady_clock::now();
  for (;;) {
    if (std::chrono::steady_clock::now() >= next_terms) {
      (void)end_terms();  // what cannot end now is looked at again the next time
      next_terms = std::chrono::steady_clock::now() + options.terms_every;
    }
    // The first request opens a window; one that asks for "now" closes it.
    bool idle = false;
    bool stop = eraser_.when_for(
        options.terms_every, [](const EraserState& e) { return e.stop || !e.queue.empty(); },
        [&](const EraserState& e, bool) {
          idle = e.queue.empty();
          return e.stop;
        });
    if (!stop && idle) {
      (void)tell_untold();
      continue;
    }
    if (!stop) {
      const auto urgent = [](const EraserState& e) {
        return e.stop || std::any_of(e.queue.begin(), e.queue.end(), [](const OpenErasure& o) { return o.now; });
      };
      stop = eraser_.when_for(options.erase_window, urgent, [](const EraserState& e, bool) { return e.stop; });
    }
    if (stop) return;  // open requests are taken up at the next start
    if (const auto told_before = tell_untold(); !told_before) {
      wait_to_retry();
      continue;
    }
    auto batch = next_batch();
    std::vector<vault::Fence> fences;
    for (const auto& open : batch) fences.insert(fences.end(), open.fences.begin(), open.fences.end());

    auto change = vault.erase(fences);
    auto told = change ? tell_effective(*change, batch) : Result<ledger::Committed>(Error(change.error()));
    if (!change) {
      // Not erased: everybody stays fenced and the requests open.
      eraser_.with([&](EraserState& e) {
        e.queue.insert(e.queue.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
      });
      answer_open_erasures();
      wait_to_retry();
      continue;
    }
    for (auto& open : batch) {
      if (!open.done) continue;
      if (!told) {  // unreadable already; the event follows when the ledger takes writes again
        open.done(Error(told.error()));
        continue;
      }
      auto written = open.written;
      written.kind = Written::Kind::erasure_effective;
      written.old_epoch = change->from;
      written.new_epoch = change->to;
      written.grade = change->grade;
      written.seq = told->first;
      written.size = told->size;
      open.done(std::move(written));
    }
    eraser_.with([&](EraserState& e) { e.open -= std::min(e.open, batch.size()); });
  }
}

// At start: what was effective but not told is told; fences whose request never became durable go; open requests
// continue.
Status Impl::carry_on_erasures() {
  SIEGEL_CHECK(tell_untold());
  // The views show the erasures just told before open requests are looked for.
  std::promise<bool> shown;
  auto ready = shown.get_future();
  views.when(ledger.size(), std::chrono::minutes(10), [&shown](bool reached) { shown.set_value(reached); });
  if (!ready.get()) return Error(Errc::unavailable, "starting", "The read models do not catch up.");

  SIEGEL_TRY(open, views.open_erasure_requests());
  auto fences = vault.fences();
  for (const auto& fence : fences) {
    const bool asked =
        std::any_of(open.begin(), open.end(), [&](const auto& r) { return r.seq.get() == fence.request; });
    if (!asked) SIEGEL_CHECK(vault.forget_fence(fence.request));
  }
  for (const auto& request : open) {
    const auto it =
        std::find_if(fences.begin(), fences.end(), [&](const auto& f) { return f.request == request.seq.get(); });
    if (it == fences.end())
      return Error(Errc::corrupt, "keys_behind", "An erasure was requested, but the keys store has lost its fence.")
          .with("seq", request.seq);
    SIEGEL_TRY(stored, ledger.read(request.seq));
    SIEGEL_TRY(header, codec::decode_header(stored.header));
    const auto* facts = std::get_if<ErasureRequestedFacts>(&header.facts);
    const auto owner = owner_of(request.subject);
    SIEGEL_TRY(found, snapshot(owner));
    {
      const auto lock = state.lock();
      const auto entry = state.owner(owner, found);
      if (entry.known && facts != nullptr) {
        decide::FenceEntry fence{request.seq, {}};
        for (const auto cls : facts->classes) fence.classes.emplace_back(cls);
        entry.entry->fences.push_back(std::move(fence));
      }
    }
    OpenErasure again;
    again.id = request.erasure;
    again.subjects = {request.subject};
    again.fences = {*it};
    again.requested_at = header.time;
    again.now = true;
    enqueue(std::move(again));
  }
  return Done{};
}

}  // namespace siegel::service
