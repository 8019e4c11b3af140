#!/bin/sh
# Install the course into a virtual environment:  install.sh FOLDER
set -e
folder=$1
python=$folder/bin/python

echo "Installing the course and its packages (about two minutes the first time)"
"$python" "${0%/*}/pip.py" install --quiet --constraint constraints.txt --editable ".[lab,test]"

# A kernel named python3 inside this environment: the notebooks find it, and the user's own kernels stay as they are.
"$python" -m ipykernel install --sys-prefix --name python3 --display-name "Python 3 (ipykernel)" >/dev/null

# No news pop-up over the first notebook, and nothing fetched from outside when Lab starts.
settings=$folder/share/jupyter/lab/settings
mkdir -p "$settings"
cat > "$settings/overrides.json" <<'END'
{
  "@jupyterlab/apputils-extension:notification": {
    "fetchNews": "false",
    "checkForUpdates": false
  }
}
END
"$python" -c 'import helpers, torch; print("Installed, with torch", torch.__version__)'
