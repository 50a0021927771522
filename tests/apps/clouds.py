"""Configurations the tests start from: two clouds of one model, an endpoint each."""


def simulated(scale, faults=None, alike=False, **more):
    """The simulator's side. `faults`: of `main`. `alike`: both clouds get the same bytes for the same question."""
    law = {"ttft_median": "300ms", "inter_token_median": "10ms"}
    return {"scale": scale, "seed": 7, "endpoints": [
        {"name": "main", "dialect": "openai", "latency": law, "faults": faults or []},
        {"name": "spare", "dialect": "openai" if alike else "bedrock", "latency": law}], **more}


def breaker(**more):
    """Quick enough for a run of seconds."""
    return {"window": "10s", "samples_min": 6, "failures_in_row_max": 3, "cool_down": "200ms", "cool_down_max": "400ms",
            "stage_samples_min": 1, "stage_time_min": "50ms", "ramp": [0.5, 1.0], "ramp_harm_max": 0.5, **more}


def callers(url, in_flight=4, alike=False, **sections):
    """The caller's side. `url`: of a running simulator, or "simulator" for the one in the process."""
    def base(name, suffix=""):
        return url if url == "simulator" else f"{url}/{name}{suffix}"
    config = {
        "providers": {
            "cloud-1": {"dialect": "openai", "base_url": base("main", "/v1"), "region": "r1"},
            "cloud-2": {"dialect": "bedrock", "base_url": base("spare"), "region": "r2",
                        "auth": {"kind": "simulated"}},
        },
        "prices": {"models": {"main-model": {"input": 1.0, "output": 3.0},
                              "spare-model": {"input": 2.0, "output": 6.0}}},
        "models": {"chat": {"description": "one model in two places"}},
        "endpoints": {
            "defaults": {"breaker": breaker()},
            "list": [
                {"id": "main", "provider": "cloud-1", "model": "chat", "remote_model": "main-model",
                 "kind": "reserved", "limits": {"in_flight_max": in_flight}},
                {"id": "spare", "provider": "cloud-2", "model": "chat", "remote_model": "spare-model",
                 "limits": {"in_flight_max": in_flight}},
            ],
        },
        "features": {"recap": {"hierarchy": ["chat"], "class": "batch", "deadline": "2m"}},
    }
    if alike:
        config["providers"]["cloud-2"] = {"dialect": "openai", "base_url": base("spare", "/v1"), "region": "r2"}
        config["endpoints"]["list"][1]["remote_model"] = "main-model"
    for name, section in sections.items():
        config[name] = {**config.get(name, {}), **section} if isinstance(section, dict) else section
    return config
