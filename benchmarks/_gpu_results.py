"""Where `gpu.py` keeps its rows, and the tables it makes of them."""

import json
import platform

import sklearn
import torch


class Results:
    """Rows by part and name, kept in a file.

    Parameters
    ----------
    folder : Path
    device : str
    titles : dict of str
        What each part is about.
    """

    def __init__(self, folder, device, titles):
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.table = folder / "gpu.json", folder / "gpu.md"
        self.titles = titles
        self.rows = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.machine = f"{card(device)}, torch {torch.__version__}, scikit-learn {sklearn.__version__}"

    def has(self, part, name):
        """Whether a row is there that did not fail."""
        return "failed" not in self.rows.get(part, {}).get(name, {"failed": ""})

    def add(self, part, name, row):
        """Keep a row."""
        self.rows.setdefault(part, {})[name] = {**row, "machine": self.machine}
        self.path.write_text(json.dumps(self.rows, indent=1, ensure_ascii=False))

    def write(self, planned):
        """Write the tables, and what of the ``planned`` rows is missing."""
        lines = []
        for part, names in planned.items():
            rows = {name: self.rows[part][name] for name in names if name in self.rows.get(part, {})}
            for machine in dict.fromkeys(row["machine"] for row in rows.values()):
                there = {name: row for name, row in rows.items() if row["machine"] == machine}
                lines += [f"### {part}: {self.titles[part]}", "", machine, "", *markdown(there), ""]
            missing = [name for name in names if name not in rows]
            lines += [f"Not run of {part}: {'; '.join(missing)}.", ""] if missing else []
        self.table.write_text("\n".join(lines))


def markdown(rows):
    """Return the lines of a table of rows by name."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row if column != "machine"))
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(str(row.get(column, '')) for column in columns)} |")
    return lines


def card(device):
    """Return the name of the device."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device} ({platform.machine()})"
