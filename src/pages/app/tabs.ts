// The end of a session as the page must see it by itself: the server says nothing when it is over, so nothing may be
// shown longer than it lasts, and what one tab learns holds for all of them, since they share the cookie.
// The server counts idle time from the last request of any tab; so does each tab.
import { whenAnswered } from "./api.js";

export type Told = { what: "used"; at: number } | { what: "left"; signedOut: boolean } | { what: "entered"; token: string };
const timerMax = 2 ** 31 - 1;

export class Tabs {
  private readonly channel = new BroadcastChannel("siegel");
  private idle = 0; // milliseconds; 0: nobody is signed in here
  private used = 0; // when the last request that was answered had been sent
  private timer = 0;

  constructor(told: (by: Told) => void, private readonly over: () => void) {
    this.channel.addEventListener("message", (event: MessageEvent<Told>) => {
      if (event.data.what === "used") this.mark(event.data.at);
      else told(event.data);
    });
    whenAnswered((sent) => {
      this.mark(sent);
      this.tell({ what: "used", at: sent });
    });
    // A tab out of sight has slow timers, a machine that slept had none.
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("pageshow", (event) => (event.persisted ? location.reload() : this.look()));
  }

  begin(idleSeconds: number): void {
    this.idle = Math.min(idleSeconds * 1000, timerMax);
    this.wait();
  }
  end(): void {
    this.idle = 0;
    this.wait();
  }
  tell(what: Told): void {
    this.channel.postMessage(what);
  }

  private mark(at: number): void {
    this.used = Math.max(this.used, at);
    this.wait();
  }
  private wait(): void {
    clearTimeout(this.timer);
    if (!this.idle) return;
    // However the clock was set meanwhile, it is never more than the idle time.
    this.timer = window.setTimeout(() => this.over(), Math.min(this.idle, this.used + this.idle - Date.now()));
  }
  private look(): void {
    if (this.idle && Date.now() - this.used >= this.idle) this.over();
  }
}
