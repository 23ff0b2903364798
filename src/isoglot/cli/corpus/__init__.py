"""`isoglot corpus`: build a folder of parallel sentences, look into it, hand it on. One file per command."""

from __future__ import annotations

import typer

from isoglot.cli.corpus import audit, build, clean, doctor, export, languages, show

app = typer.Typer(help="Build and inspect folders of parallel sentences.", no_args_is_help=True)

app.command("build")(build.build)
app.command("audit")(audit.audit)
app.command("clean")(clean.clean)
app.command("show")(show.show)
app.command("languages")(languages.languages)
app.command("export")(export.export)
app.command("doctor")(doctor.doctor)
